// WCAG 2.2 AA, as far as a program can tell, in every main state and in both
// themes.
import { findings } from '../fixtures/axe.ts';
import { developer } from '../fixtures/scene.mjs';
import { expect, test } from '../fixtures/test.ts';
import { ContainersPage } from './pages/containers.ts';
import { LogsPage } from './pages/logs.ts';

test('the list, its menus and its dialogs', async ({ page, engine }) => {
    test.setTimeout(120_000);
    const list = new ContainersPage(page);
    const found: string[] = await findings(page, 'no containers');
    await developer(engine.socket, 28_180);
    await expect(list.row('not-yet')).toBeVisible();
    await expect(list.row('blog-app-1')).toContainText('unhealthy');
    found.push(...(await findings(page, 'list')));
    await list.grid.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    found.push(...(await findings(page, 'selection')));
    await page.keyboard.press('Delete');
    await expect(page.getByRole('dialog')).toContainText('This will go');
    found.push(...(await findings(page, 'removal')));
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await list.row('scratchpad').getByRole('button', { name: 'More for scratchpad' }).click();
    found.push(...(await findings(page, 'menu')));
    await page.getByRole('menuitem', { name: 'Rename…' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('no good');
    found.push(...(await findings(page, 'rename')));
    await page.keyboard.press('Escape');
    await list.search.fill('nothing has this name');
    found.push(...(await findings(page, 'nothing found')));
    await list.search.fill('');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search or do anything' }).fill('shop');
    found.push(...(await findings(page, 'palette')));
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 900, height: 600 });
    found.push(...(await findings(page, 'narrow')));
    await engine.stop('SIGKILL');
    await expect(page.getByRole('alert')).toBeVisible();
    found.push(...(await findings(page, 'trouble')));
    await engine.start();
    await expect(page.getByRole('alert')).toHaveCount(0);
    expect(found).toEqual([]);
});

test('a container, in all its parts', async ({ page, engine }) => {
    test.setTimeout(120_000);
    await developer(engine.socket, 28_180);
    const found: string[] = [];
    const logs = new LogsPage(page);
    await logs.open('shop-api-1');
    await logs.lines.first().click();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('region', { name: 'The chosen line' })).toBeVisible();
    found.push(...(await findings(page, 'logs')));
    for (const tab of ['terminal', 'stats', 'inspect', 'processes', 'changes']) {
        await page.evaluate((hash) => (location.hash = hash), `#/containers/shop-api-1/${tab}`);
        if (tab === 'terminal') await expect(page.locator('.xterm-rows')).toContainText('/ #');
        else await page.waitForTimeout(tab === 'stats' ? 4_000 : 500);
        found.push(...(await findings(page, tab)));
    }
    await page.evaluate(() => (location.hash = '#/containers/shop-db-1/mounts'));
    await page.waitForTimeout(500);
    found.push(...(await findings(page, 'mounts')));
    await logs.open('hungry');
    await expect(page.getByRole('region', { name: 'Why it exited' })).toBeVisible();
    found.push(...(await findings(page, 'why it exited')));
    await logs.range.selectOption('From… to…');
    await expect(page.getByRole('dialog')).toBeVisible();
    found.push(...(await findings(page, 'log range')));
    expect(found).toEqual([]);
});

test('every primitive', async ({ page }) => {
    await page.evaluate(() => (location.hash = '#/gallery'));
    await expect(page.getByRole('heading', { name: 'Gallery' })).toBeVisible();
    expect(await findings(page, 'gallery')).toEqual([]);
});

test('a hint comes by mouse and by keyboard, can be pointed at, and Esc closes it alone', async ({ page, engine }) => {
    await developer(engine.socket, 28_180);
    const list = new ContainersPage(page);
    const hint = page.getByRole('tooltip');
    await expect(list.row('not-yet')).toBeVisible();
    await list.row('shop-db-1').getByText(':28182 → 5432').hover();
    await expect(hint).toHaveText('127.0.0.1:28182 → 5432/tcp');
    // What happens to its container meanwhile draws the row anew.
    await engine.api('POST', '/containers/shop-db-1/update', { CpuShares: 77 });
    await page.waitForTimeout(700);
    await expect(hint).toHaveText('127.0.0.1:28182 → 5432/tcp');
    await hint.hover();
    await page.waitForTimeout(400);
    await expect(hint).toBeVisible();
    await page.mouse.move(5, 5);
    await expect(hint).toBeHidden();
    await page.getByRole('button', { name: 'Group by project' }).focus();
    await list.search.focus();
    await page.keyboard.press('Tab');
    await expect(hint).toHaveText('Group by project');
    await page.keyboard.press('Escape');
    await expect(hint).toBeHidden();
    await expect(page.getByRole('button', { name: 'Group by project' })).toBeFocused();
    await list.menu('shop-api-1', 'Remove…');
    const dialog = page.getByRole('dialog');
    await expect(dialog).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
});
