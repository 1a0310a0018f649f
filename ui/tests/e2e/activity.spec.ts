import { container } from '../fixtures/scene.mjs';
import { withStalledRegistry } from '../fixtures/stalled.ts';
import { expect, test } from '../fixtures/test.ts';
import { dialog, go } from './pages/dialogs.ts';

test('events come as they happen, narrow by kind, and stand still when paused', async ({ page, engine, problems }) => {
    await go(page, '#/activity');
    await container(engine.socket, { name: 'seen', command: 'exit 3' });
    const events = page.getByRole('list', { name: 'Events' });
    await expect(events.getByRole('listitem').filter({ hasText: 'die' })).toContainText('exitCode=3');
    await expect(events.getByRole('listitem').filter({ hasText: 'connect' }).first()).toContainText('container=seen');
    await page.getByRole('combobox', { name: 'Kinds' }).selectOption('Networks');
    await expect(events.getByRole('listitem').filter({ hasText: 'die' })).toHaveCount(0);
    await page.getByRole('combobox', { name: 'Kinds' }).selectOption('All');
    await page.getByRole('button', { name: 'Pause' }).click();
    await engine.api('DELETE', '/containers/seen');
    await expect(page.getByText('new', { exact: false }).filter({ hasText: /\d+ new/ })).toBeVisible();
    await expect(events.getByRole('listitem').filter({ hasText: 'destroy' })).toHaveCount(0);
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect(events.getByRole('listitem').filter({ hasText: 'destroy' }).first()).toContainText('seen');
    expect(problems).toEqual([]);
});

test('diagnostics are shown before they are saved, without secrets', async ({ page, engine, problems }) => {
    await container(engine.socket, { name: 'secretive', command: ['sleep', '9999'], config: { Env: ['DB_PASSWORD=hunter2', 'PLAIN=hunter2'], Labels: { api_token: 'hunter2' } } });
    await expect(page.getByRole('link', { name: 'secretive', exact: true })).toBeVisible();
    await go(page, '#/help');
    await page.getByRole('button', { name: 'Look at it…' }).click();
    const bundle = dialog(page, 'Diagnostics');
    const content = bundle.getByLabel('What is in the file');
    await expect(content).toContainText('secretive');
    await expect(content).toContainText('DB_PASSWORD=‹removed›');
    await expect(content).not.toContainText('hunter2');
    const saved = page.waitForEvent('download');
    await bundle.getByRole('button', { name: 'Save…' }).click();
    expect((await saved).suggestedFilename()).toMatch(/^dhow-diagnostics-.*\.json$/);
    expect(problems).toEqual([]);
});

test('what is chosen in settings is kept', async ({ page, engine, problems }) => {
    await go(page, '#/settings');
    await page.getByText('Compact').click();
    await page.getByText('None', { exact: true }).click();
    await page.reload();
    await go(page, '#/settings/engine');
    await expect(page.locator('html')).toHaveAttribute('data-density', 'compact');
    await expect(page.locator('html')).toHaveAttribute('data-motion', 'reduced');
    await expect(page.getByText('Control groups')).toBeVisible();
    await go(page, '#/settings/general');
    await expect(page.getByText('dhow dashboard', { exact: false })).toBeVisible();
    await expect(page.getByRole('checkbox')).toHaveCount(0);
    await go(page, '#/networks');
    await expect(page.getByRole('grid').getByRole('row').nth(1)).toHaveCSS('height', '28px');
    await container(engine.socket, { name: 'one', command: 'sleep 9999' });
    await container(engine.socket, { name: 'two', command: 'sleep 9999' });
    await go(page, '#/containers');
    const rows = page.getByRole('treegrid').getByRole('row');
    await expect(rows).toHaveCount(3);
    const [first, second] = [await rows.nth(1).boundingBox(), await rows.nth(2).boundingBox()];
    expect((second?.y ?? 0) - (first?.y ?? 0)).toBe(28);
    expect(problems).toEqual([]);
});

test('without an engine lists stay, and nothing that cannot work is offered', async ({ page, engine, problems }) => {
    await go(page, '#/images');
    const grid = page.getByRole('grid', { name: 'Images' });
    await expect(grid.getByRole('row')).not.toHaveCount(1);
    await engine.stop('SIGKILL');
    await expect(page.getByRole('alert')).toContainText('not reachable');
    await expect(grid.getByRole('row')).not.toHaveCount(1);
    for (const name of ['Pull…', 'Clean up…']) await expect(page.getByRole('button', { name, exact: true })).toBeDisabled();
    await engine.start();
    await expect(page.getByRole('button', { name: 'Pull…', exact: true })).toBeEnabled();
    expect(problems).toEqual([]);
});

test('the navigation says how many tasks run', async ({ page, problems }) => {
    await withStalledRegistry(async ({ reference }) => {
        const link = page.getByRole('navigation').getByRole('link', { name: /^Activity/ });
        await expect(link).toHaveAccessibleName('Activity');
        await go(page, '#/images');
        await page.getByRole('button', { name: 'Pull…', exact: true }).click();
        await dialog(page, 'Pull an image').getByLabel('Name').fill(reference);
        await page.keyboard.press('Enter');
        await page.getByRole('button', { name: 'Go on behind' }).click();
        await expect(link).toHaveAccessibleName(/1 task runs/);
        await link.click();
        await page.getByRole('button', { name: `Cancel ${reference}` }).click();
        await expect(link).toHaveAccessibleName('Activity');
    });
    expect(problems).toEqual([]);
});
