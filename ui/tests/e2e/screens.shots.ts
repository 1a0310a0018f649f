// Pictures of the main screens at both sizes and in both themes, from a real
// engine: `npm run shots`, then look at screenshots/.
import { developer } from '../fixtures/scene.mjs';
import { test } from '../fixtures/test.ts';

const SIZES = [
    { width: 1280, height: 800 },
    { width: 900, height: 600 },
];
const PLACES: Record<string, string> = {
    containers: '#/containers',
    logs: '#/containers/shop-api-1/logs',
    terminal: '#/containers/shop-api-1/terminal',
    stats: '#/containers/shop-api-1/stats',
    inspect: '#/containers/shop-api-1/inspect',
    processes: '#/containers/shop-api-1/processes',
    mounts: '#/containers/shop-db-1/mounts',
    changes: '#/containers/shop-api-1/changes',
    exit: '#/containers/hungry/logs',
    gallery: '#/gallery',
};

test('screenshots', async ({ page, engine }) => {
    test.setTimeout(300_000);
    await developer(engine.socket, 28080);
    await page.waitForTimeout(9_000);
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
    };
    for (const [name, place] of Object.entries(PLACES)) {
        if (!wanted(name)) continue;
        await page.evaluate((hash) => (location.hash = hash), place);
        await page.waitForTimeout(name === 'stats' ? 8_000 : 1_500);
        await shoot(name);
    }
    await page.evaluate(() => (location.hash = '#/containers'));
    if (wanted('palette')) {
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox', { name: 'Search or do anything' }).fill('shop');
        await shoot('palette');
        await page.keyboard.press('Escape');
    }
    if (wanted('remove')) {
        await page.getByRole('treegrid').focus();
        await page.getByRole('checkbox', { name: 'Select scratchpad' }).check();
        await page.getByRole('checkbox', { name: 'Select shop-db-1' }).check();
        await shoot('selected');
        await page.getByRole('toolbar').getByRole('button', { name: 'Remove…' }).click();
        await page.waitForTimeout(500);
        await shoot('remove');
        await page.keyboard.press('Escape');
    }
    if (wanted('menu')) {
        await page.getByRole('button', { name: 'More for scratchpad' }).click();
        await shoot('menu');
        await page.keyboard.press('Escape');
    }
    if (wanted('trouble')) {
        await engine.stop('SIGKILL');
        await page.waitForTimeout(1_500);
        await shoot('trouble');
        await page.reload();
        await page.waitForTimeout(1_500);
        await shoot('unreachable');
        await engine.start();
    }
});
