import { container } from '../fixtures/scene.mjs';
import { expect, test, watch } from '../fixtures/test.ts';
import { ContainersPage } from './pages/containers.ts';

const status = (text: string) => ({ hasText: text });

test('an engine that is killed: says so, forbids, and goes on by itself', async ({ page, engine }) => {
    const list = new ContainersPage(page);
    await container(engine.socket, { name: 'stays', command: 'sleep 99999' });
    await expect(list.row('stays')).toContainText('Running');
    await engine.stop('SIGKILL');
    await expect(page.getByRole('alert')).toContainText('The engine is not reachable');
    await expect(list.row('stays')).toBeVisible();
    await expect(list.row('stays').getByRole('button', { name: 'Stop stays' })).toBeDisabled();
    await engine.start();
    await expect(page.getByRole('alert')).toHaveCount(0);
    await expect(list.row('stays').getByRole('button', { name: 'Stop stays' })).toBeEnabled();
    // Events arrive again.
    await engine.api('POST', '/containers/stays/stop?t=0');
    await expect(list.row('stays')).toContainText('Exited');
});

test('an engine that is stopped by SIGSTOP does not answer, and is not running', async ({ page, engine }) => {
    await expect(page.getByRole('status').filter(status('Engine running'))).toBeVisible();
    engine.signal('SIGSTOP');
    try {
        await expect(page.getByRole('status').filter(status('Engine does not answer'))).toBeVisible({ timeout: 20_000 });
    } finally {
        engine.signal('SIGCONT');
    }
    await expect(page.getByRole('status').filter(status('Engine running'))).toBeVisible({ timeout: 15_000 });
});

test('what was typed survives the engine', async ({ page, engine }) => {
    const list = new ContainersPage(page);
    await container(engine.socket, { name: 'typed', command: 'sleep 99999' });
    await list.search.fill('typ');
    await list.menu('typed', 'Rename…');
    await page.getByRole('dialog').getByRole('textbox').fill('half-a-na');
    await engine.stop('SIGKILL');
    await expect(page.getByRole('status').filter(status('Engine not reachable'))).toBeVisible();
    await engine.start();
    await expect(page.getByRole('status').filter(status('Engine running'))).toBeVisible();
    await expect(page.getByRole('dialog').getByRole('textbox')).toHaveValue('half-a-na');
    await page.keyboard.press('Escape');
    await expect(list.search).toHaveValue('typ');
});

test('a link works once', async ({ browser, served }) => {
    const link = await served.link();
    const problems: string[] = [];
    const first = await browser.newPage();
    watch(first, problems);
    await first.goto(link);
    await expect(first.getByRole('status').filter(status('Engine running'))).toBeVisible();
    expect(first.url()).not.toContain('token');
    const other = await browser.newContext();
    const second = await other.newPage();
    watch(second, problems);
    await second.goto(link);
    await expect(second.getByRole('heading', { name: 'This link was used already' })).toBeVisible();
    expect(problems).toEqual([]);
    await other.close();
    await first.close();
});

test('a burst of events costs few requests', async ({ page, engine }) => {
    const list = new ContainersPage(page);
    await container(engine.socket, { name: 'busy', command: 'sleep 99999' });
    await expect(list.row('busy')).toContainText('Running');
    let asked = 0;
    page.on('request', (request) => {
        if (request.url().includes('/containers/json')) asked += 1;
    });
    const started = Date.now();
    for (let round = 0; round < 100; round += 1) await engine.api('POST', `/containers/busy/update`, { CpuShares: 100 + round });
    const seconds = (Date.now() - started) / 1000;
    await page.waitForTimeout(600);
    expect(asked).toBeLessThanOrEqual(Math.ceil(seconds * 4) + 3);
    await expect(list.row('busy')).toContainText('Running');
});

test('a page that a part of did not come loads itself again', async ({ browser, served }) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    // As a browser does when an interface of the machine comes or goes.
    let failures = 0;
    await page.route('**/assets/*.js', (route) => (failures++ < 2 ? route.abort('addressunreachable') : route.continue()));
    await page.goto(await served.link());
    await expect(page.getByRole('main')).toBeVisible();
    expect(failures).toBeGreaterThan(2);
    // A screen that is loaded when it is opened is asked for again by itself.
    failures = 0;
    await page.getByRole('link', { name: 'Help' }).click();
    await expect(page.getByRole('heading', { name: 'Shortcuts' })).toBeVisible();
    await context.close();
});
