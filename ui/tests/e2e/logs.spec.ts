import { readFile } from 'node:fs/promises';
import { container } from '../fixtures/scene.mjs';
import { asked, expect, test } from '../fixtures/test.ts';
import { LogsPage } from './pages/logs.ts';

const json = (value: unknown) => `echo '${JSON.stringify(value)}'`;

test('levels and JSON: a message and fields, filtered, searched and opened', async ({ page, engine }) => {
    const logs = new LogsPage(page);
    await container(engine.socket, {
        name: 'service',
        command: [
            'echo "INFO  ready"',
            json({ level: 'warn', msg: 'slow query', ms: 412, sql: '<b>select</b>' }),
            'echo "ERROR it broke"',
            'echo "    at handler (app.js:7)"',
            'echo "level=debug msg=\\"cache hit\\" key=a"',
            json({ severity: 'ERROR', message: 'gone \u001b]0;owned\u0007', code: { deep: [1] } }),
            'sleep 99999',
        ].join('; '),
    });
    await logs.open('service');
    await expect(logs.lines).toHaveCount(6);
    await expect(logs.lines.nth(1)).toHaveText(/^warning\s*slow query {2}ms=412 {2}sql=<b>select<\/b>$/);
    await expect(page.locator('main b')).toHaveCount(0);

    await logs.level.selectOption('Errors only');
    await expect(logs.lines).toHaveText([/it broke/, /at handler/, /gone/]);
    await logs.level.selectOption('No debugging');
    await expect(logs.lines).toHaveCount(5);
    await logs.search.fill('ms=412');
    await expect(page.getByText('1 matching')).toBeVisible();
    await logs.search.press('Enter');
    await logs.list.focus();
    await page.keyboard.press('Enter');
    const details = page.getByRole('region', { name: 'The chosen line' });
    await expect(details).toContainText('412');
    await expect(details).toContainText('<b>select</b>');
    await page.keyboard.press('ArrowDown');
    await expect(details).toContainText('it broke');

    await logs.search.fill('"ms":412');
    await expect(page.getByText('0 matching')).toBeVisible();
    await page.getByRole('button', { name: 'Show JSON as message and fields' }).click();
    await expect(page.getByText('1 matching')).toBeVisible();
    expect(await page.title()).not.toContain('owned');
});

test('lines are chosen with the keyboard, and copied and saved with and without times', async ({ page, engine }) => {
    const logs = new LogsPage(page);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await container(engine.socket, { name: 'lines', command: 'for i in 1 2 3 4 5; do printf "\\033[32mline\\033[0m $i\\n"; done; sleep 99999' });
    await logs.open('lines');
    await expect(logs.lines).toHaveCount(5);
    await logs.lines.nth(1).click();
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Control+c');
    await expect.poll(clipboard).toBe('line 2\nline 3\n');
    await page.keyboard.press('Control+Shift+c');
    await expect.poll(clipboard).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z line 2\n\d{4}-\S+Z line 3\n$/);
    await logs.lines.nth(4).click({ modifiers: ['Shift'] });
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Copy 4 selected lines' }).click();
    await expect.poll(clipboard).toBe('line 2\nline 3\nline 4\nline 5\n');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Save with timestamps…' }).click()]);
    expect(download.suggestedFilename()).toBe('lines.log');
    expect(await readFile(await download.path(), 'utf8')).toMatch(/^(?:\d{4}-\S+Z line \d\n){5}$/);
});

test('a range is asked of the engine, and a new run is marked', async ({ page, engine }) => {
    const logs = new LogsPage(page);
    await container(engine.socket, { name: 'twice', command: 'echo hello; sleep 99999' });
    await engine.api('POST', '/containers/twice/restart?t=0');
    await logs.open('twice');
    await expect(logs.lines).toHaveCount(2);
    await expect(logs.lines.nth(0)).not.toContainText('started');
    await expect(logs.lines.nth(1)).toContainText(/started \d\d:\d\d:\d\d/);
    // One more, while it is open.
    await engine.api('POST', '/containers/twice/restart?t=0');
    await expect(logs.lines).toHaveCount(3);
    await expect(logs.lines.nth(2)).toContainText(/started \d\d:\d\d:\d\d/);

    const paths = asked(page);
    await logs.range.selectOption('Last 5 minutes');
    await expect.poll(() => paths.some((path) => path.includes('/logs?'))).toBe(true);
    const path = paths.find((path) => path.includes('/logs?')) ?? '';
    const since = Number(new URL(path, 'http://engine').searchParams.get('since'));
    expect(Math.abs(Date.now() / 1000 - 300 - since)).toBeLessThan(10);
    await expect(logs.lines).toHaveCount(3);

    await logs.range.selectOption('From… to…');
    const dialog = page.getByRole('dialog', { name: 'Show a part of the log' });
    await dialog.getByLabel('From').fill('2001-01-01T00:00:00');
    await dialog.getByLabel('To').fill('2000-01-01T00:00:00');
    await expect(dialog).toContainText('It has to end after it begins.');
    await dialog.getByLabel('To').fill('2001-01-02T00:00:00');
    await dialog.getByRole('button', { name: 'Show' }).click();
    await expect(page.getByRole('heading', { name: 'Nothing was logged in this time' })).toBeVisible();
    await logs.range.selectOption('Newest lines');
    await expect(logs.lines).toHaveCount(3);
});

test('long lines wrap, and both ends of the log are reached', async ({ page, engine }) => {
    const logs = new LogsPage(page);
    // Every seventh line is a paragraph.
    await container(engine.socket, {
        name: 'long',
        command: 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); [ $((i%7)) = 0 ] && printf "%0900d\\n" $i || echo "short $i"; done; echo the end; sleep 99999',
    });
    await logs.open('long');
    await expect(logs.lines.last()).toContainText('the end');
    await page.getByRole('button', { name: 'Wrap long lines' }).click();
    await expect(logs.lines.last()).toContainText('the end');
    await expect(logs.lines.last()).toBeInViewport();
    const sideways = await logs.list.evaluate((node) => node.scrollWidth - node.clientWidth);
    expect(sideways).toBeLessThanOrEqual(0);
    await logs.list.focus();
    await page.keyboard.press('Home');
    await expect(logs.lines.first()).toContainText('short 1');
    await expect(logs.lines.first()).toBeInViewport();
    // Wherever one is, the pane is full of lines.
    for (const share of [0.1, 0.5, 0.9]) {
        await logs.list.evaluate((node, at) => (node.scrollTop = node.scrollHeight * at), share);
        await page.waitForTimeout(100);
        const gaps = await logs.list.evaluate((node) => {
            const box = node.getBoundingClientRect();
            const lines = [...node.querySelectorAll('[role="option"]')].map((line) => line.getBoundingClientRect());
            return { above: Math.max(0, lines[0]!.top - box.top), below: Math.max(0, box.bottom - lines.at(-1)!.bottom) };
        });
        expect(gaps).toEqual({ above: 0, below: 0 });
    }
});

test('while nobody looks the log is not read, and nothing of it is missed', async ({ page, engine, look }) => {
    const logs = new LogsPage(page);
    await container(engine.socket, { name: 'ticks', command: 'n=0; while :; do n=$((n+1)); echo tick $n; sleep 0.1; done' });
    await logs.open('ticks');
    await expect(logs.lines.filter({ hasText: /^tick 5$/ })).toBeVisible();
    await look(false);
    // What was under way may still come. Then nothing does, seven lines long.
    let before = -1;
    const still = async () => {
        const now = await logs.lines.count();
        const same = now === before;
        before = now;
        return same;
    };
    await expect.poll(still, { intervals: [700] }).toBe(true);
    await look(true);
    await expect.poll(() => logs.lines.count()).toBeGreaterThan(before + 10);
    const numbers = (await logs.lines.allTextContents()).map((text) => Number(/tick (\d+)/.exec(text)?.[1]));
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] as number) + index));
});

test('a search that other engines never end ends', async ({ page, engine }) => {
    const logs = new LogsPage(page);
    await container(engine.socket, { name: 'trap', command: "printf '%060000d!\\n' 0; echo 000y; sleep 99999" });
    await logs.open('trap');
    await logs.search.fill('(0+0+)+y');
    await expect(page.getByText('1 matching')).toBeVisible();
    await logs.search.fill('(?=(0+)+y)');
    await expect(logs.search).toHaveAttribute('aria-invalid', 'true');
});
