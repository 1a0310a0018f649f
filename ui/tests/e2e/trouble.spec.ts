import { chown } from 'node:fs/promises';
import { calls } from '../fixtures/calls.ts';
import { container } from '../fixtures/scene.mjs';
import { serve } from '../fixtures/server.ts';
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

test('a socket that is not for this person is said to be so, and tried again', async ({ browser, engine, problems }) => {
    const nobody = 65_534;
    await chown(engine.socket, nobody, nobody);
    const served = await serve(engine.socket, { bare: true });
    const page = await browser.newPage();
    watch(page, problems);
    await page.goto(await served.link());
    await expect(page.getByRole('heading', { name: 'This engine is not yours to use' })).toBeVisible();
    await expect(page.getByText(engine.socket)).toBeVisible();
    await expect(page.getByText('usermod -aG dhow')).toBeVisible();
    await expect(page.getByRole('status').filter(status('Permission denied'))).toBeVisible();
    await page.getByRole('button', { name: 'Try now' }).click();
    await expect(page.getByRole('heading', { name: 'This engine is not yours to use' })).toBeVisible();
    // From here on it is found without being asked again.
    await chown(engine.socket, 0, 0);
    await expect(page.getByRole('status').filter(status('Engine running'))).toBeVisible();
    expect(problems).toEqual([]);
    await page.close();
    await served.close();
});

test('another version of the engine: told, spoken to in its words, and read anew', async ({ page, engine }) => {
    const list = new ContainersPage(page);
    await container(engine.socket, { name: 'before', command: 'sleep 99999' });
    await expect(list.row('before')).toContainText('Running');
    await engine.stop('SIGKILL');
    await expect(page.getByRole('alert')).toBeVisible();
    // The engine is real and the same; only what it says of itself is another's.
    await page.route('**/engine/version', async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, json: { ...(await answer.json()), Version: '9.8.7', ApiVersion: '1.44' } });
    });
    const asked = page.waitForRequest(/\/v1\.44\/containers\/json\?all=true$/);
    await engine.start();
    await asked;
    await expect(page.getByText(/9\.8\.7 answers now/)).toBeVisible();
    await expect(list.row('before')).toContainText('Running');
});

test('a clock that jumps stops nothing', async ({ page, engine }) => {
    const list = new ContainersPage(page);
    await container(engine.socket, { name: 'old', command: 'sleep 99999' });
    await expect(list.row('old')).toContainText('Running');
    for (const [hours, shown] of [[48, '2 d ago'], [-48, '0 s ago'], [0, /\d+ (?:s|min) ago/]] as const) {
        await page.clock.setSystemTime(Date.now() + hours * 3_600_000);
        await expect(list.row('old')).toContainText(shown);
        await expect(page.getByRole('status').filter(status('Engine running'))).toBeVisible();
        const name = `jump-${hours === 0 ? 'back' : hours > 0 ? 'on' : 'off'}`;
        await container(engine.socket, { name, command: 'sleep 99999' });
        await expect(list.row(name)).toContainText('Running');
        await expect(list.row(name)).toContainText('%', { timeout: 15_000 });
    }
});

test('10,000 events cost few requests, and the last of them is shown', async ({ page, engine }) => {
    test.setTimeout(120_000);
    const list = new ContainersPage(page);
    for (const name of ['one', 'two']) await container(engine.socket, { name, command: 'sleep 99999' });
    await expect(list.row('two')).toContainText('Running');
    let asked = 0;
    page.on('request', (request) => {
        if (request.url().includes('/containers/json')) asked += 1;
    });
    const started = Date.now();
    // A fifth of them change what the list shows, so that it has to ask; the rest are only read.
    const call = (at: number) => {
        const container = `/containers/${at % 2 === 0 ? 'one' : 'two'}`;
        return at % 5 === 0 ? { method: 'POST', path: `${container}/update`, json: { CpuShares: 100 + (at % 900) } } : { method: 'POST', path: `${container}/kill?signal=WINCH` };
    };
    await calls(engine.socket, Array.from({ length: 10_000 }, (_, at) => call(at)), 8);
    const seconds = (Date.now() - started) / 1000;
    await engine.api('POST', '/containers/one/rename?name=last');
    await expect(list.row('last')).toBeVisible();
    console.log(`10,000 events in ${seconds.toFixed(1)} s: ${asked} requests`);
    expect(asked).toBeLessThanOrEqual(Math.ceil(seconds * 4) + 3);
});
