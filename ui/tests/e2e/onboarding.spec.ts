// The first steps on a real engine, by keyboard.
import { withEngine } from '../fixtures/engine.ts';
import { serve } from '../fixtures/server.ts';
import { expect, test } from '../fixtures/test.ts';
import { go } from './pages/dialogs.ts';

test('the first steps run a container and open its page', async ({ page, context, problems }, { workerIndex }) => {
    // An engine as it comes: another test may have cleaned its welcome image away.
    await withEngine(workerIndex + 8, async (engine) => {
        const served = await serve(engine.socket);
        await page.goto(await served.link());
        await expect(page.getByRole('status').filter({ hasText: 'Engine running' })).toBeVisible();
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox').fill('First steps');
        await page.keyboard.press('Enter');
        await expect(page.getByRole('heading', { name: /^The engine.*done$/ })).toBeVisible();
        // A browser has no `dhow` to give.
        await expect(page.getByRole('heading', { name: 'in your terminal' })).toHaveCount(0);
        const run = page.getByRole('button', { name: 'Run the welcome container' });
        await expect(run).toBeFocused();
        const opening = context.waitForEvent('page');
        await page.keyboard.press('Enter');
        const opened = await opening;
        await expect(opened.getByText('Dhow', { exact: false }).first()).toBeVisible();
        const { State, HostConfig } = await engine.api('GET', '/containers/welcome/json');
        expect(State.Running).toBe(true);
        expect(HostConfig.PortBindings['80/tcp'][0].HostIp).toBe('127.0.0.1');
        await opened.close();
        await page.getByRole('button', { name: 'Done' }).click();
        await expect(page.getByRole('link', { name: 'welcome', exact: true })).toBeVisible();
        // A second time it is found, not made again.
        await go(page, '#/help');
        await page.getByRole('button', { name: 'Begin again with the first steps' }).click();
        const again = context.waitForEvent('page');
        await page.getByRole('button', { name: 'Run the welcome container' }).click();
        await (await again).close();
        expect((await engine.api('GET', '/containers/json?all=1')) as unknown[]).toHaveLength(1);
        await served.close();
    });
    expect(problems).toEqual([]);
});

test('without an engine they say so, go on by themselves, and Esc leaves them', async ({ page, engine, problems }) => {
    await go(page, '#/welcome');
    await expect(page.getByRole('button', { name: 'Run the welcome container' })).toBeEnabled();
    await engine.stop('SIGKILL');
    await expect(page.getByRole('listitem', { name: 'The engine' }).getByRole('status')).toContainText('The engine is not reachable');
    await expect(page.getByRole('button', { name: 'Run the welcome container' })).toBeDisabled();
    await engine.start();
    await expect(page.getByRole('button', { name: 'Run the welcome container' })).toBeEnabled();
    await page.keyboard.press('Escape');
    await expect(page).toHaveURL(/#\/containers$/);
    expect(problems).toEqual([]);
});

test('an engine without its welcome image is told so', async ({ page, engine, problems }) => {
    await engine.api('DELETE', '/images/dhow/welcome?force=1').catch(() => undefined);
    await go(page, '#/welcome');
    await page.getByRole('button', { name: 'Run the welcome container' }).click();
    await expect(page.getByRole('alert')).toContainText('no image “dhow/welcome”');
    expect(problems).toEqual([]);
});
