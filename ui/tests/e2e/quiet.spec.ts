// What goes over the wire while nobody looks, and while nothing happens.
import { container } from '../fixtures/scene.mjs';
import { expect, test } from '../fixtures/test.ts';
import { ContainersPage } from './pages/containers.ts';
import { LogsPage } from './pages/logs.ts';

test('a hidden page asks nothing, and knows everything when it comes back', async ({ page, engine, look }) => {
    const list = new ContainersPage(page);
    await container(engine.socket, { name: 'seen', command: 'while :; do echo x; sleep 0.2; done' });
    for (const place of ['#/containers', '#/containers/seen/logs', '#/containers/seen/stats', '#/containers/seen/inspect']) {
        await page.evaluate((hash) => (location.hash = hash), place);
        await page.waitForTimeout(1_500);
        await look(false);
        // What was under way ends.
        await page.waitForTimeout(500);
        const asked: string[] = [];
        const note = (request: { url(): string }) => asked.push(request.url());
        page.on('request', note);
        // Longer than any heartbeat, and with events of its own.
        await engine.api('POST', '/containers/seen/update', { CpuShares: 512 });
        await page.waitForTimeout(6_500);
        page.off('request', note);
        expect(asked, place).toEqual([]);
        await look(true);
    }
    await look(false);
    await engine.api('POST', '/containers/seen/rename?name=renamed');
    await container(engine.socket, { name: 'new', command: 'sleep 99999' });
    await look(true);
    await page.evaluate(() => (location.hash = '#/containers'));
    await expect(list.row('renamed')).toContainText('Running');
    await expect(list.row('new')).toContainText('Running');
});

test('an idle page draws nothing but what it measures', async ({ page, engine }) => {
    const logs = new LogsPage(page);
    await container(engine.socket, { name: 'silent', command: 'echo once; sleep 99999' });
    await logs.open('silent');
    await page.waitForTimeout(1_500);
    const changes = await page.evaluate(
        () =>
            new Promise<number>((done) => {
                let count = 0;
                new MutationObserver((records) => (count += records.length)).observe(document.querySelector('main')!, { subtree: true, childList: true, attributes: true, characterData: true });
                setTimeout(() => done(count), 4_000);
            }),
    );
    expect(changes).toBe(0);
});
