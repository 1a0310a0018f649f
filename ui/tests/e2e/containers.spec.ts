import { container } from '../fixtures/scene.mjs';
import { expect, test } from '../fixtures/test.ts';
import { ContainersPage } from './pages/containers.ts';

const forever = 'sleep 99999';

test('an engine without containers says how to start one', async ({ page }) => {
    await expect(page.getByRole('heading', { name: 'No containers yet' })).toBeVisible();
    await expect(page.getByRole('status').filter({ hasText: 'Engine running' })).toBeVisible();
});

test('what others do shows up by itself, and no list is polled', async ({ page, engine }) => {
    const list = new ContainersPage(page);
    await container(engine.socket, { name: 'one', command: forever });
    await expect(list.row('one')).toContainText('Running');
    // The list may have known before the event of it came.
    await page.waitForTimeout(1_000);
    const asked: string[] = [];
    page.on('request', (request) => {
        if (request.url().includes('/containers/json')) asked.push(request.url());
    });
    await page.waitForTimeout(6_000);
    expect(asked).toEqual([]);
    await engine.api('POST', '/containers/one/stop?t=0');
    await expect(list.row('one')).toContainText('Exited (137)');
    await engine.api('DELETE', '/containers/one');
    await expect(page.getByRole('heading', { name: 'No containers yet' })).toBeVisible();
});

test('starts, pauses, renames and removes, and says what goes', async ({ page, engine }) => {
    const list = new ContainersPage(page);
    await container(engine.socket, {
        name: 'data',
        command: `echo hello > /written; ${forever}`,
        config: { Volumes: { '/anonymous': {} } },
        host: { Mounts: [{ Type: 'volume', Source: 'kept', Target: '/kept' }] },
        created: true,
    });
    await list.row('data').getByRole('button', { name: 'Start data' }).click();
    await expect(list.row('data')).toContainText('Running');
    await list.menu('data', 'Pause');
    await expect(list.row('data')).toContainText('Paused');
    await list.menu('data', 'Resume');
    await expect(list.row('data')).toContainText('Running');

    await list.menu('data', 'Rename…');
    const rename = page.getByRole('dialog', { name: 'Rename data' });
    await rename.getByRole('textbox').fill('no good');
    await expect(rename.getByRole('alert')).toBeVisible();
    await expect(rename.getByRole('button', { name: 'Rename' })).toBeDisabled();
    await rename.getByRole('textbox').fill('better');
    await rename.getByRole('textbox').press('Enter');
    await expect(list.row('better')).toBeVisible();

    await list.menu('better', 'Remove…');
    const dialog = page.getByRole('dialog', { name: 'Remove better?' });
    await expect(dialog).toContainText('It runs: it is killed first.');
    await expect(dialog).toContainText('written since it was made');
    await expect(dialog).toContainText('named volumes: kept');
    await dialog.getByRole('checkbox', { name: 'Also remove 1 anonymous volume' }).check();
    await dialog.getByRole('button', { name: 'Kill and remove' }).click();
    await expect(page.getByRole('heading', { name: 'No containers yet' })).toBeVisible();
    const volumes = (await engine.api('GET', '/volumes')) as { Volumes: { Name: string }[] };
    expect(volumes.Volumes.map((volume) => volume.Name)).toEqual(['kept']);
    await engine.api('DELETE', '/volumes/kept');
});

test('works without a mouse', async ({ page, engine }) => {
    const list = new ContainersPage(page);
    for (const name of ['a', 'b', 'c']) await container(engine.socket, { name: `key-${name}`, command: forever, project: name === 'c' ? '' : 'keys' });
    await expect(list.row('key-c')).toBeVisible();
    await page.keyboard.press('/');
    await expect(list.search).toBeFocused();
    await list.search.fill('key-');
    await page.keyboard.press('ArrowDown');
    await expect(list.grid).toBeFocused();
    // The first row is the project: Space chooses both of it.
    await page.keyboard.press(' ');
    await expect(page.getByRole('toolbar')).toContainText('2 selected');
    await page.keyboard.press('Delete');
    await page.getByRole('button', { name: 'Kill and remove 2' }).press('Enter');
    await expect.poll(() => list.names()).toEqual(['key-c']);
    await page.keyboard.press('Escape');
    await list.grid.focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'key-c' })).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search or do anything' }).fill('stop key-c');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Control+1');
    await expect(list.row('key-c')).toContainText(/Stopping|Exited/);
});

test('a label with markup is text', async ({ page, engine }) => {
    await container(engine.socket, { name: 'markup', command: forever, project: '<img src=x onerror=alert(1)>' });
    await expect(page.getByRole('treegrid')).toContainText('<img src=x onerror=alert(1)>');
    await expect(page.locator('main img')).toHaveCount(0);
});
