import { container } from '../fixtures/scene.mjs';
import { expect, test } from '../fixtures/test.ts';
import { diskSize } from '../../src/lib/format/units.ts';
import { dialog, go, things } from './pages/dialogs.ts';

test('volumes: made, measured when asked, kept while in use, pruned as said', async ({ page, engine, problems }) => {
    await engine.api('POST', '/volumes/prune?filters=%7B%22all%22:%5B%22true%22%5D%7D');
    await go(page, '#/volumes');
    await expect(page.getByRole('heading', { name: 'No volumes yet' })).toBeVisible();
    await page.getByRole('button', { name: 'Create…' }).first().click();
    const create = dialog(page, 'Create a volume');
    await create.getByLabel('Name').fill('x');
    await expect(create.getByRole('alert')).toBeVisible();
    await create.getByLabel('Name').fill('data');
    await create.getByLabel('Labels').fill('tier=gold');
    await create.getByRole('button', { name: 'Create' }).click();
    const grid = page.getByRole('grid', { name: 'Volumes' });
    await expect(grid.getByRole('row').filter({ hasText: 'data' })).toBeVisible();
    expect((await engine.api('GET', '/volumes/data')).Labels).toEqual({ tier: 'gold' });

    await container(engine.socket, { name: 'writer', command: 'dd if=/dev/zero of=/data/f bs=1k count=700; dd if=/dev/zero of=/tmp2/g bs=1k count=300', config: { Volumes: { '/tmp2': {} } }, host: { Binds: ['data:/data'] } });
    await engine.api('POST', '/containers/writer/wait');
    await expect(grid.getByRole('row').filter({ hasText: 'data' })).toContainText('writer');
    const asked: string[] = [];
    page.on('request', (request) => void (request.url().includes('/system/df') && asked.push(request.url())));
    await page.waitForTimeout(2_500);
    expect(asked).toEqual([]);
    await page.getByRole('button', { name: 'Measure' }).click();
    await expect(grid.getByRole('row').filter({ hasText: 'data' })).toContainText(diskSize(700 * 1024));

    await grid.focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    const refuse = dialog(page, 'Remove 2 volumes?');
    await expect(refuse).toContainText('None of them can be removed while containers have them.');
    await expect(refuse.getByRole('list', { name: /^This stays/ })).toContainText('used by writer');
    await expect(refuse.getByRole('button', { name: 'Remove' })).toBeDisabled();
    await page.keyboard.press('Escape');

    await engine.api('DELETE', '/containers/writer');
    await expect(grid.getByRole('row').filter({ hasText: 'data' })).not.toContainText('writer');
    await page.getByRole('button', { name: 'Clean up…' }).click();
    const prune = dialog(page, 'Clean up volumes');
    await expect(prune.getByRole('list', { name: /^1 volume/ })).toBeVisible();
    await prune.getByText('All unused').click();
    await expect(prune).toContainText('look twice');
    const list = prune.getByRole('list', { name: /^2 volumes with all files will go/ });
    const names = await things(prune, /^2 volumes/).evaluateAll((all) => all.map((one) => one.getAttribute('title') ?? ''));
    const said = (await list.getAttribute('aria-label')) ?? '';
    const answered = page.waitForResponse((response) => response.url().includes('/volumes/prune'));
    await prune.getByRole('button', { name: 'Clean up' }).click();
    const answer = (await (await answered).json()) as { VolumesDeleted: string[]; SpaceReclaimed: number };
    expect(answer.VolumesDeleted.sort()).toEqual(names.sort());
    expect(said).toContain(`${diskSize(answer.SpaceReclaimed)} will be free`);
    await expect(page.getByRole('heading', { name: 'No volumes yet' })).toBeVisible();
    expect(problems).toEqual([]);
});

test('networks: who is on one, and the engine’s own words where it refuses', async ({ page, engine, problems }) => {
    await container(engine.socket, { name: 'web', command: 'sleep 9999' });
    await container(engine.socket, { name: 'ended', command: 'true' });
    await go(page, '#/networks');
    const grid = page.getByRole('grid', { name: 'Networks' });
    const bridge = grid.getByRole('row').filter({ hasText: 'bridge' });
    await expect(bridge).toContainText('1 of 2 attached');
    await bridge.getByRole('link', { name: 'bridge' }).click();
    const { NetworkSettings } = await engine.api('GET', '/containers/web/json');
    await expect(page.getByRole('listitem').filter({ hasText: 'web' })).toContainText(NetworkSettings.Networks.bridge.IPAddress);
    await expect(page.getByRole('listitem').filter({ hasText: 'ended' })).toContainText('not running');
    await expect(page.getByRole('button', { name: 'Remove…' })).toHaveCount(0);

    await page.getByRole('link', { name: 'To the networks' }).click();
    await page.getByRole('button', { name: 'Create…' }).click();
    const create = dialog(page, 'Create a network');
    await create.getByLabel('Name').fill('bridge');
    await expect(create.getByRole('alert')).toContainText('already');
    await create.getByLabel('Name').fill('shop');
    const [config] = (await engine.api('GET', '/networks/bridge')).IPAM.Config;
    await create.getByLabel('Subnet').fill(config.Subnet);
    await expect(create.getByRole('alert')).toContainText('overlaps with that of bridge');
    await create.getByLabel('Subnet').fill('10.200.0.0/16');
    await create.getByLabel('Gateway').fill('10.201.0.1');
    await expect(create.getByRole('alert')).toContainText('no address of this subnet');
    await create.getByLabel('Gateway').fill('10.200.0.1');
    const answered = page.waitForResponse((response) => response.url().includes('/networks/create'));
    await create.getByRole('button', { name: 'Create' }).click();
    const answer = await answered;
    if (answer.ok()) {
        await expect(grid.getByRole('row').filter({ hasText: 'shop' })).toContainText('10.200.0.0/16');
        await engine.api('DELETE', '/networks/shop');
    } else {
        await expect(create.getByRole('alert')).toHaveText(((await answer.json()) as { message: string }).message);
        await page.keyboard.press('Escape');
    }
    await page.getByRole('button', { name: 'Clean up…' }).click();
    await expect(dialog(page, 'Clean up networks')).toContainText('Nothing would go');
    await page.keyboard.press('Escape');
    expect(problems).toEqual([]);
});
