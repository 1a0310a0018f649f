// Figures for DESIGN.md, from a real engine: `npm run bench`. Times are said,
// never asserted; amounts of work are asserted in the specs.
import { calls } from '../fixtures/calls.ts';
import { container, IMAGE } from '../fixtures/scene.mjs';
import { expect, test } from '../fixtures/test.ts';
import { busy, leave, tell } from '../fixtures/trace.ts';
import { ContainersPage } from './pages/containers.ts';
import { LogsPage } from './pages/logs.ts';

test('1,000 containers', async ({ page, engine }) => {
    const list = new ContainersPage(page);
    const names = Array.from({ length: 1_000 }, (_, at) => `many-${String(at).padStart(4, '0')}`);
    const labels = (at: number) => (at % 3 === 0 ? { 'com.docker.compose.project': `project-${at % 40}` } : {});
    await page.goto('about:blank');
    await calls(engine.socket, names.map((name, at) => ({ method: 'POST', path: `/containers/create?name=${name}`, json: { Image: IMAGE, Cmd: ['sleep', '99'], Labels: labels(at) } })));
    await page.goBack();
    tell('pages: open a list of 1,000', await busy(page, () => page.getByText('project-0', { exact: true }).waitFor()));
    await page.waitForTimeout(1_000);
    const update = (name: string, at: number) => ({ method: 'POST', path: `/containers/${name}/update`, json: { CpuShares: 100 + at } });
    tell('pages: 20 events in a list of 1,000', await busy(page, () => calls(engine.socket, names.slice(0, 20).map(update)).then(() => page.waitForTimeout(700))));
    tell('pages: 1,000 events in a list of 1,000', await busy(page, () => calls(engine.socket, names.map(update)).then(() => page.waitForTimeout(700))));
    tell('pages: search 1,000 as one types', await busy(page, () => list.search.pressSequentially('many-01', { delay: 60 })));
    await list.search.fill('');
    await page.waitForTimeout(300);
    tell('pages: sort 1,000', await busy(page, () => page.getByRole('columnheader', { name: 'Created' }).getByRole('button').click()));
    tell(
        'pages: scroll 1,000 to the end and back',
        await busy(page, () =>
            list.grid.getByRole('rowgroup').evaluate(async (node) => {
                for (let step = 0; step <= 120; step += 1) {
                    node.scrollTop = (node.scrollHeight * (step <= 60 ? step : 120 - step)) / 60;
                    await new Promise(requestAnimationFrame);
                }
            }),
        ),
    );
    await page.goto('about:blank');
    await calls(engine.socket, names.map((name) => ({ method: 'DELETE', path: `/containers/${name}?force=1` })));
});

test('a million lines', async ({ page, engine }) => {
    const logs = new LogsPage(page);
    await container(engine.socket, { name: 'million', command: 'seq 1 1000000; echo the end; sleep 99999' });
    // What it writes has to be in the engine's log first.
    await expect.poll(async () => String(await engine.api('GET', '/containers/million/logs?stdout=1&tail=1')), { timeout: 120_000 }).toContain('the end');
    await logs.open('million');
    tell(
        'pages: read a million log lines',
        await busy(page, async () => {
            await logs.range.selectOption('All time');
            await expect(page.getByText('1,000,001 lines')).toBeVisible({ timeout: 120_000 });
        }),
    );
    tell(
        'pages: jump to 300 places in them',
        await busy(page, () =>
            logs.list.evaluate(async (node) => {
                for (let step = 0; step < 300; step += 1) {
                    node.scrollTop = (node.scrollHeight * ((step * 37) % 300)) / 300;
                    await new Promise(requestAnimationFrame);
                }
            }),
        ),
    );
    tell(
        'pages: scroll them 300 frames by a wheel',
        await busy(page, () =>
            logs.list.evaluate(async (node) => {
                for (let step = 0; step < 300; step += 1) {
                    node.scrollTop -= 53;
                    await new Promise(requestAnimationFrame);
                }
            }),
        ),
    );
    tell(
        'pages: search them',
        await busy(page, async () => {
            await logs.search.fill('^99999\\d$');
            await expect(page.getByText('10 matching')).toBeVisible({ timeout: 60_000 });
        }),
    );
});

test('50,000 new lines a second', async ({ page, engine }) => {
    const logs = new LogsPage(page);
    await container(engine.socket, { name: 'torrent', command: 'while :; do seq 1 5000; sleep 0.09; done' });
    await logs.open('torrent');
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const heap = async () => {
        await session.send('HeapProfiler.collectGarbage');
        const { metrics } = await session.send('Performance.getMetrics');
        return Math.round((metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? 0) / 1e6);
    };
    const count = async () => Number(/([\d,]+) lines/.exec(await page.locator('.count').innerText())?.[1]?.replaceAll(',', ''));
    const [before, first] = [await heap(), await count()];
    const measured = await busy(page, () => page.waitForTimeout(20_000));
    const [rate, after] = [Math.round(((await count()) - first) / measured.seconds), await heap()];
    tell('pages: 50,000 new lines a second', measured, `, ${rate} lines a second, heap ${before} → ${after} MB`);
    leave('pages: lines that came in a second', 'lines', rate);
    leave('pages: heap that 20 s of them added', 'MB', after - before);
    await logs.level.selectOption('Warnings, errors');
    tell('pages: the same, filtered', await busy(page, () => page.waitForTimeout(10_000)));
});
