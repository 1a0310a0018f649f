// Pictures of images, volumes, networks, activity, settings and help, and of
// their dialogs: `npm run shots`.
import { withIndex } from '../fixtures/index.ts';
import { objects } from '../fixtures/objects.mjs';
import { withStalledRegistry } from '../fixtures/stalled.ts';
import { test } from '../fixtures/test.ts';

const SIZES = [
    { width: 1280, height: 800 },
    { width: 900, height: 600 },
];

const FOUND = [
    { name: 'shop/api', description: 'The API of the shop, with everything that it needs to be run by itself on one machine.', star_count: 20_412, is_official: true },
    ...['blog/api', 'mira/api-gateway', 'tools/a-name-that-is-rather-long-for-a-list-of-names/api', 'mira/api-mock', 'lab/api-2', 'lab/api-1'].map((name, at) => ({ name, description: at === 3 ? '' : `Serves ${name.split('/')[1]}`, star_count: 400 >> at, is_official: false })),
];

test('screenshots of things', async ({ page, engine }) => {
    test.setTimeout(300_000);
    await objects(engine.socket);
    const wanted = (name: string) => !process.env['SHOTS'] || process.env['SHOTS'].split(',').includes(name);
    const shoot = async (name: string) => {
        for (const size of SIZES) {
            for (const theme of ['light', 'dark'] as const) {
                await page.setViewportSize(size);
                await page.emulateMedia({ colorScheme: theme });
                await page.waitForTimeout(250);
                await page.screenshot({ path: `screenshots/${name}-${size.width}-${theme}.png` });
            }
        }
        await page.setViewportSize({ width: 1280, height: 800 });
    };
    const go = async (place: string) => {
        await page.evaluate((hash) => (location.hash = hash), place);
        await page.waitForTimeout(900);
    };
    const dialog = async (name: string, place: string, open: () => Promise<void>) => {
        if (!wanted(name)) return;
        await go(place);
        await open();
        await page.waitForTimeout(700);
        await shoot(name);
        await page.keyboard.press('Escape');
        await page.waitForTimeout(200);
    };
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    const dangling = ((await engine.api('GET', '/images/json')) as { Id: string; RepoTags: string[] }[]).find((image) => image.RepoTags.length === 0);

    for (const [name, place] of Object.entries({
        images: '#/images',
        'image-layers': '#/images/shop%2Fapi%3A1.4.2',
        'image-config': '#/images/shop%2Fapi%3A1.4.2/config',
        'image-names': '#/images/shop%2Fapi%3A1.4.2/names',
        'image-dangling': `#/images/${encodeURIComponent(dangling?.Id ?? '')}`,
        volumes: '#/volumes',
        volume: '#/volumes/shop_pgdata',
        networks: '#/networks',
        network: '#/networks/bridge',
        activity: '#/activity',
        'settings-appearance': '#/settings',
        'settings-general': '#/settings/general',
        'settings-engine': '#/settings/engine',
        'settings-engine-form': '#/settings/engine/form',
        'settings-engine-text': '#/settings/engine/text',
        'settings-registries': '#/settings/registries',
        'settings-contexts': '#/settings/contexts',
        help: '#/help',
        welcome: '#/welcome',
    })) {
        if (!wanted(name)) continue;
        await go(place);
        await shoot(name);
    }
    await dialog('pull', '#/images', () => button('Pull…').click());
    await withIndex(FOUND, async ({ host }) => {
        for (const [name, term] of [['search', `${host}/api`], ['search-failed', 'nginx']] as const) {
            await dialog(name, '#/images', async () => {
                await button('Pull…').click();
                await page.getByRole('dialog').getByLabel('Name').fill(term);
                await button('Search Docker Hub…').click();
            });
            await page.keyboard.press('Escape');
        }
    });
    await dialog('prune-images', '#/images', async () => {
        await button('Clean up…').click();
        await page.getByText('All that no container uses').click();
    });
    await dialog('remove-images', '#/images', async () => {
        const grid = page.getByRole('grid');
        await grid.focus();
        await page.keyboard.press('Control+a');
        await page.keyboard.press('Delete');
    });
    await page.keyboard.press('Escape');
    await dialog('remove-volume', '#/volumes/old_backup', () => button('Remove…').click());
    await dialog('prune-volumes', '#/volumes', async () => {
        await button('Clean up…').click();
        await page.getByText('All unused').click();
    });
    await dialog('create-network', '#/networks', async () => {
        await button('Create…').click();
        await page.getByRole('dialog').getByLabel('Name').fill('shop');
        await page.getByRole('dialog').getByLabel('Subnet').fill('172.17.8.0/24');
    });
    await dialog('run', '#/images/shop%2Fapi%3A1.4.2', async () => {
        await button('Run…').click();
        await button('Paste a line…').click();
        await page
            .getByLabel('A line of docker run')
            .fill(`docker run -d --name shop-api-2 -p 127.0.0.1:28200:8000 -e DATABASE_URL='postgres://db/shop' -e LOG=debug -v shop_uploads:/srv/uploads:ro -v /etc/ssl:/etc/ssl:ro --restart unless-stopped -m 512m --ipc host --ulimit nofile=1024:2048 --health-cmd 'true' --log-opt max-size=10m shop/api:1.4.2 httpd -f -p 8000`);
        await button('Fill the form').click();
    });
    if (wanted('run-parts')) {
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox').fill('Run a container');
        await page.keyboard.press('Enter');
        await page.waitForTimeout(600);
        await shoot('run-again');
        for (const part of ['Ports', 'Environment', 'Storage', 'Limits', 'Health', 'System', 'More']) {
            await page.getByRole('tab', { name: part }).click();
            await page.waitForTimeout(150);
            await shoot(`run-${part.split(' ')[0]?.toLowerCase()}`);
        }
        await page.keyboard.press('Escape');
    }
    if (wanted('pulling')) {
        await withStalledRegistry(async ({ reference }) => {
            await go('#/images');
            await button('Pull…').click();
            await page.getByRole('dialog').getByLabel('Name').fill(reference);
            await page.keyboard.press('Enter');
            await page.waitForTimeout(700);
            await shoot('pulling');
            await button('Go on behind').click();
            await go('#/activity');
            await button(`Layers of ${reference}`).click();
            await shoot('tasks');
            await button(`Cancel ${reference}`).click();
        });
    }
    await dialog('login', '#/settings/registries', async () => {
        await button('Log in…').click();
        await page.getByRole('dialog').getByLabel('Registry').fill('https://registry.example/team');
    });
    await dialog('menu-image', '#/images', () => page.getByRole('button', { name: 'More for shop/api:1.4.2' }).click());
    await dialog('palette-things', '#/images', async () => {
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox').fill('shop');
    });
    await dialog('diagnostics', '#/help', () => button('Look at it…').click());
    if (wanted('images-trouble')) {
        await go('#/images');
        await engine.stop('SIGKILL');
        await page.waitForTimeout(1_200);
        await shoot('images-trouble');
        await engine.start();
    }
});
