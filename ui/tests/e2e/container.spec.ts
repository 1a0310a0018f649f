import { container } from '../fixtures/scene.mjs';
import { expect, test } from '../fixtures/test.ts';

test('a log: colours, search, and what it must not do', async ({ page, engine }) => {
    await container(engine.socket, {
        name: 'talks',
        command: 'for i in 1 2 3; do printf "\\033[31mred\\033[0m line %d\\n" $i; done; printf "\\033]0;owned\\007\\033[2Jstill here\\n"; echo "<b>bold</b>" >&2; sleep 99999',
    });
    await page.evaluate(() => (location.hash = '#/containers/talks/logs'));
    const log = page.getByRole('log');
    await expect(log).toContainText('still here');
    await expect(log).toContainText('<b>bold</b>');
    await expect(log.locator('b')).toHaveCount(0);
    expect(await page.title()).not.toContain('owned');
    expect(await log.getByText('red', { exact: true }).first().evaluate((node) => getComputedStyle(node).color)).not.toBe(
        await log.getByText('still here').evaluate((node) => getComputedStyle(node).color),
    );
    await page.getByRole('textbox', { name: /^Search/ }).fill('line [23]$');
    await expect(page.getByText('2 matching')).toBeVisible();
    await page.getByRole('button', { name: 'Only matching lines' }).click();
    await expect(log).not.toContainText('still here');
    await page.getByRole('textbox', { name: /^Search/ }).fill('(');
    await expect(page.getByText('Not a regular expression')).toBeVisible();
});

test('a flood of lines neither freezes the page nor fills it', async ({ page, engine }) => {
    await container(engine.socket, { name: 'flood', command: 'seq 1 400000; echo the end; sleep 99999' });
    await page.evaluate(() => (location.hash = '#/containers/flood/logs'));
    await expect(page.getByRole('log')).toContainText('the end', { timeout: 30_000 });
    await page.getByRole('button', { name: 'Load all' }).click();
    await expect(page.getByText('400,001 lines')).toBeVisible({ timeout: 30_000 });
    expect(await page.getByRole('log').locator('.line').count()).toBeLessThan(200);
    await page.getByRole('textbox', { name: /^Search/ }).fill('^39999\\d$');
    await expect(page.getByText('10 matching')).toBeVisible({ timeout: 20_000 });
});

test('a terminal: types, resizes, ends and starts again', async ({ page, engine }) => {
    await container(engine.socket, { name: 'shell', command: 'sleep 99999' });
    await page.evaluate(() => (location.hash = '#/containers/shell/terminal'));
    const screen = page.locator('.xterm-rows');
    await expect(screen).toContainText('/ #');
    await page.keyboard.type('echo $((6*7)); stty size\n');
    await expect(screen).toContainText('42');
    const before = await engineSize();
    await page.setViewportSize({ width: 1000, height: 640 });
    await page.keyboard.type('clear; stty size\n');
    await expect.poll(engineSize).not.toBe(before);
    await page.keyboard.type('exit 3\n');
    await expect(page.getByText('ended (3)')).toBeVisible();
    await page.getByRole('button', { name: 'Start again' }).click();
    await expect(screen).toContainText('/ #');

    async function engineSize(): Promise<string> {
        return /\b\d{2} \d{2,3}\b/.exec((await screen.innerText()).replace(/\u00a0/g, ' '))?.[0] ?? '';
    }
});

test('a terminal has all colours, and its policy stays strict', async ({ page, engine }) => {
    await container(engine.socket, { name: 'painter', command: 'sleep 99999' });
    await page.evaluate(() => (location.hash = '#/containers/painter/terminal'));
    const screen = page.locator('.xterm-rows');
    await expect(screen).toContainText('/ #');
    const escape = '\\033[';
    await page.keyboard.type(`clear; printf '${escape}38;2;12;34;56;48;2;250;240;230mTRUE${escape}0m ${escape}38;5;208mMANY${escape}0m ${escape}31mFEW${escape}0m\\n'\n`);
    const colours = (word: string) =>
        screen.getByText(word, { exact: true }).last().evaluate((node) => {
            const { color, backgroundColor } = getComputedStyle(node);
            return [color, backgroundColor];
        });
    await expect.poll(() => colours('TRUE')).toEqual(['rgb(12, 34, 56)', 'rgb(250, 240, 230)']);
    expect((await colours('MANY'))[0]).toBe('rgb(255, 135, 0)');
    expect((await colours('FEW'))[0]).toBe(await page.evaluate(() => {
        const probe = document.body.appendChild(document.createElement('i'));
        probe.style.color = 'var(--ansi-1)';
        const { color } = getComputedStyle(probe);
        probe.remove();
        return color;
    }));
});

test('an image without a shell says so', async ({ page, engine }) => {
    await container(engine.socket, { name: 'bare', image: 'dhow/welcome', command: undefined });
    await page.evaluate(() => (location.hash = '#/containers/bare/terminal'));
    await expect(page.getByRole('heading', { name: 'This image has no shell' })).toBeVisible();
});

test('says why it exited', async ({ page, engine }) => {
    await container(engine.socket, { name: 'oom', command: 'dd if=/dev/zero of=/dev/null bs=200M count=1', host: { Memory: 16 << 20, MemorySwap: 16 << 20 } });
    await container(engine.socket, { name: 'typo', command: 'nosuchcommand' });
    await container(engine.socket, { name: 'ill', command: 'sleep 99999', health: 'echo connection refused; false' });
    const card = page.getByRole('region', { name: 'Why it exited' });
    await page.evaluate(() => (location.hash = '#/containers/oom/logs'));
    await expect(card).toContainText('It used more memory than its limit of 16 MiB');
    await page.evaluate(() => (location.hash = '#/containers/typo/logs'));
    await expect(card).toContainText('The program “nosuchcommand” is not in its image');
    await page.evaluate(() => (location.hash = '#/containers/ill/logs'));
    await expect(card).toContainText('its health check fails');
    await expect(card).toContainText('connection refused');
});

test('inspect, processes, changes and stats tell of the real container', async ({ page, engine }) => {
    await container(engine.socket, { name: 'seen', command: 'echo x > /new-file; while :; do :; done' });
    await page.evaluate(() => (location.hash = '#/containers/seen/inspect'));
    await page.getByRole('textbox', { name: /^Search keys/ }).fill('NetworkMode');
    await expect(page.getByRole('tree')).toContainText('"bridge"');
    await page.getByRole('tab', { name: 'Processes' }).click();
    await expect(page.getByRole('region', { name: 'Processes' })).toContainText('new-file');
    await page.getByRole('tab', { name: 'Changes' }).click();
    await expect(page.getByRole('list', { name: 'Changed files' })).toContainText('/new-file');
    await page.getByRole('tab', { name: 'Stats' }).click();
    await expect(page.getByRole('figure', { name: /^CPU: \d/ })).toBeVisible();
    await engine.api('DELETE', '/containers/seen?force=1');
    await expect(page.getByRole('heading', { name: 'This container is gone' })).toBeVisible();
});
