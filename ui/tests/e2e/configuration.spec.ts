// The engine's daemon.json as fields and as text, on a real engine.
import type { TestEngine } from '../fixtures/engine.ts';
import { expect, test } from '../fixtures/test.ts';
import { dialog, go } from './pages/dialogs.ts';

const file = async (engine: TestEngine) => (await engine.api('GET', '/dhow/config')) as { Path: string; Text: string; Version: string };
const put = async (engine: TestEngine, text: string) => engine.api('PUT', '/dhow/config', { Text: text, Version: (await file(engine)).Version });

test.afterEach(({ engine }) => put(engine, '{}'));

test('a field changes the file, and is told before when it takes effect', async ({ page, engine, problems }) => {
    await go(page, '#/settings/engine/form');
    await page.getByRole('group', { name: 'debug', exact: true }).getByText('On').click();
    const mtu = page.getByRole('textbox', { name: 'mtu', exact: true });
    await mtu.fill('14x');
    const apply = page.getByRole('button', { name: 'Check and apply…' });
    await expect(page.getByText('A whole number.')).toBeVisible();
    await expect(apply).toBeDisabled();
    await mtu.fill('1400');
    await expect(page.getByText('2 settings changed')).toBeVisible();
    await apply.click();
    const asked = dialog(page, /daemon\.json\?$/);
    await expect(asked.getByRole('list', { name: 'In effect at once' })).toHaveText(/debugdefault → true/);
    await expect(asked.getByRole('list', { name: 'After the next restart' })).toHaveText(/mtudefault → 1400/);
    expect((await file(engine)).Text.trim()).toBe('{}');
    await asked.getByRole('button', { name: 'Apply' }).click();
    await expect(page.getByText('Waits for a restart of the engine: mtu')).toBeVisible();
    await expect(page.getByText('Nothing is changed.')).toBeVisible();
    expect(JSON.parse((await file(engine)).Text)).toEqual({ debug: true, mtu: 1400 });
    expect(((await engine.api('GET', '/info')) as { Debug: boolean }).Debug).toBe(true);
    await engine.stop();
    await engine.start();
    await expect(page.getByText('Waits for a restart')).toHaveCount(0);
    expect(problems).toEqual([]);
});

test('what came by flag is shown and fixed', async ({ page }) => {
    await go(page, '#/settings/engine/form');
    const row = page.getByRole('listitem').filter({ hasText: 'bip' }).filter({ hasText: 'given at start' });
    await expect(row.getByRole('status')).toContainText(/^10\./);
    await expect(row.getByRole('textbox')).toHaveCount(0);
});

test('text says where it is no JSON, and what the engine refuses', async ({ page, engine, problems }) => {
    await go(page, '#/settings/engine/text');
    const text = page.getByRole('textbox', { name: 'The engine’s daemon.json' });
    await text.fill('{\n  "debug": true,\n}');
    await expect(page.getByRole('alert')).toHaveText('Line 2, column 16: A comma with nothing behind it.');
    await expect(page.getByRole('button', { name: 'Check and apply…' })).toBeDisabled();
    await text.fill('{"frobnicate": 1}');
    await page.getByRole('button', { name: 'Check and apply…' }).click();
    await expect(page.getByRole('alert')).toContainText('frobnicate');
    await expect(text).toHaveValue('{"frobnicate": 1}');
    // What is typed outlives the screen.
    await go(page, '#/containers');
    await go(page, '#/settings/engine/text');
    await expect(text).toHaveValue('{"frobnicate": 1}');
    await page.getByRole('button', { name: 'Discard' }).click();
    await expect(text).toHaveValue('{}');
    expect((await file(engine)).Text.trim()).toBe('{}');
    expect(problems).toEqual([]);
});

test('somebody else’s change is shown, and both are put together', async ({ page, engine, problems }) => {
    await go(page, '#/settings/registries');
    const mirrors = page.getByRole('textbox', { name: 'registry-mirrors' });
    await mirrors.fill('https://mirror.example');
    await put(engine, '{"debug": true}');
    await page.getByRole('button', { name: 'Check and apply…' }).click();
    await expect(page.getByText('Somebody else has changed the file')).toBeVisible();
    await expect(mirrors).toHaveValue('https://mirror.example');
    await page.getByRole('button', { name: 'Put my changes into it' }).click();
    await page.getByRole('button', { name: 'Check and apply…' }).click();
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await expect(page.getByText('Nothing is changed.')).toBeVisible();
    expect(JSON.parse((await file(engine)).Text)).toEqual({ debug: true, 'registry-mirrors': ['https://mirror.example'] });
    const { RegistryConfig } = (await engine.api('GET', '/info')) as { RegistryConfig: { Mirrors: string[] } };
    expect(RegistryConfig.Mirrors).toEqual(['https://mirror.example/']);
    expect(problems).toEqual([]);
});

test('an engine that shows nobody its file is told so', async ({ page }) => {
    // As dockerd answers.
    await page.route('**/engine/dhow/config', (route) => route.fulfill({ status: 404, json: { message: 'page not found' } }));
    await go(page, '#/settings/engine/form');
    await expect(page.getByRole('heading', { name: 'This engine shows nobody its file' })).toBeVisible();
    await go(page, '#/settings/registries');
    await expect(page.getByText('Default registry')).toBeVisible();
});
