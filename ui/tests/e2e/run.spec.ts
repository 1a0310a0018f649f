import { createServer } from 'node:net';
import { imageOn } from '../fixtures/objects.mjs';
import { withRegistry } from '../fixtures/registry.ts';
import { container, IMAGE } from '../fixtures/scene.mjs';
import { expect, test } from '../fixtures/test.ts';
import { dialog } from './pages/dialogs.ts';
import type { Page } from '@playwright/test';

async function openRun(page: Page) {
    await expect(page.getByRole('status').filter({ hasText: 'Engine running' })).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('Run a container');
    await page.keyboard.press('Enter');
    const run = dialog(page, 'Run a container');
    await expect(run).toBeVisible();
    return run;
}

async function paste(page: Page, line: string) {
    await page.getByRole('button', { name: 'Paste a line…' }).click();
    await page.getByLabel('A line of docker run').fill(line);
    await page.getByRole('button', { name: 'Fill the form' }).click();
}

test('a pasted line fills the form, and runs what it says, pulled where it is missing', async ({ page, engine, problems }) => {
    await withRegistry(async ({ host }) => {
        const image = `${host}/run/app:1`;
        await imageOn(engine.socket, IMAGE, image, 'echo made > /made');
        await engine.api('POST', `/images/${image}/push?tag=1`);
        await engine.api('DELETE', `/images/${image}`);

        const run = await openRun(page);
        await paste(page, `docker run -d --name=from-line -e 'GREETING=two words' -v kept:/kept:ro --tmpfs /fast -m 64m --cpus .5 -w /tmp -l tier=gold --restart on-failure:3 --cap-drop NET_RAW ${image} sh -c 'echo "$GREETING"; sleep 9999'`);
        await expect(run.getByLabel('Image', { exact: true })).toHaveValue(image);
        await expect(run.getByTestId('run-line')).toContainText("-e 'GREETING=two words'");
        await expect(run).toContainText('Not on this machine: it is pulled first.');
        await run.getByLabel('Name', { exact: true }).fill('from-form');
        await expect(run.getByTestId('run-line')).toContainText('--name from-form');
        await run.getByRole('button', { name: 'Run', exact: true }).click();
        await expect(page).toHaveURL(/#\/containers\/from-form/);
        await expect(page.getByText('two words')).toBeVisible();
        const { Config, HostConfig, Mounts } = await engine.api('GET', '/containers/from-form/json');
        expect(Config).toMatchObject({ WorkingDir: '/tmp', Cmd: ['sh', '-c', 'echo "$GREETING"; sleep 9999'], Labels: { tier: 'gold' } });
        expect(HostConfig).toMatchObject({ Memory: 64 << 20, NanoCpus: 5e8, CapDrop: ['NET_RAW'], RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 }, Tmpfs: { '/fast': '' } });
        expect(Mounts).toContainEqual(expect.objectContaining({ Name: 'kept', Destination: '/kept', RW: false }));
    });
    expect(problems).toEqual([]);
});

test('flags without a field are named, and nothing starts until they are left out', async ({ page, engine, problems }) => {
    const run = await openRun(page);
    await paste(page, `docker run --ipc host --frob --name odd ${IMAGE} sleep 9999`);
    await expect(run.getByRole('alert').filter({ hasText: '--frob' })).toBeVisible();
    await expect(run.getByText('--ipc host', { exact: true })).toBeVisible();
    await expect(run.getByRole('button', { name: 'Run', exact: true })).toBeDisabled();
    await run.getByRole('button', { name: 'Leave out --ipc host' }).click();
    await run.getByRole('button', { name: 'Leave out --frob' }).click();
    await run.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page).toHaveURL(/#\/containers\/odd/);
    expect((await engine.api('GET', '/containers/odd/json')).State.Running).toBe(true);
    expect(problems).toEqual([]);
});

test('who holds a port is said before the start, and after it where only the engine knows', async ({ page, engine, problems }) => {
    await container(engine.socket, { name: 'holder', command: 'sleep 9999', ports: { '80/tcp': 28411 } });
    const run = await openRun(page);
    await paste(page, `docker run --name second -p 28411:80 ${IMAGE} sleep 9999`);
    await expect(run.getByText('1 to put right')).toBeVisible();
    await run.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(run.getByRole('alert')).toContainText('Port 28411 is held by holder.');
    // It follows what happens: the port is free, and so is the way.
    await engine.api('DELETE', '/containers/holder?force=1');
    await expect(run.getByRole('alert')).toHaveCount(0);

    const other = createServer().listen(28412, '127.0.0.1');
    try {
        await run.getByRole('textbox', { name: 'Port here' }).fill('28412');
        await run.getByRole('textbox', { name: 'Address' }).fill('127.0.0.1');
        await run.getByRole('button', { name: 'Run', exact: true }).click();
        await expect(run.getByRole('alert')).toHaveText(/Port 28412 is held by another program/);
        // What did not start is not left behind, and what was typed is.
        await expect.poll(async () => ((await engine.api('GET', '/containers/json?all=1')) as unknown[]).length).toBe(0);
        await page.keyboard.press('Escape');
        const again = await openRun(page);
        await expect(again.getByLabel('Name', { exact: true })).toHaveValue('second');
    } finally {
        other.close();
    }
    expect(problems).toEqual([]);
});

test('errors stand at their fields, and names complete', async ({ page, engine, problems }) => {
    await container(engine.socket, { name: 'taken', command: 'sleep 9999' });
    const run = await openRun(page);
    await run.getByLabel('Image', { exact: true }).fill('busy');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(run.getByLabel('Image', { exact: true })).toHaveValue(IMAGE);
    await run.getByLabel('Name', { exact: true }).fill('taken');
    await expect(run.getByRole('alert')).toHaveText('Another container has this name.');
    await run.getByLabel('Name', { exact: true }).fill('mine');
    await run.getByRole('tab', { name: 'Limits' }).click();
    await run.getByLabel('Memory').fill('lots');
    await expect(run.getByRole('alert')).toContainText('A size');
    await run.getByLabel('Memory').fill('1m');
    await run.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(run.getByRole('alert')).toContainText('Minimum memory limit allowed is 6MB');
    await run.getByLabel('Memory').fill('');
    await run.getByRole('tab', { name: 'Basics' }).click();
    await run.getByLabel('Command').fill('frobnicate');
    await run.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(run.getByRole('alert')).toContainText('executable file not found');
    await run.getByRole('tab', { name: 'Environment' }).click();
    await run.getByRole('button', { name: 'Add a variable' }).click();
    const name = run.getByRole('textbox', { name: 'Name' });
    await name.focus();
    await name.evaluate((element) => {
        const data = new DataTransfer();
        data.setData('text', 'A=1\n# no\nexport B="two words"');
        element.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    });
    await expect(run.getByTestId('run-line')).toContainText("-e 'B=two words'");
    await page.keyboard.press('Escape');
    expect(problems).toEqual([]);
});

test('devices, limits, health and logging reach the engine, and what it cannot do stands at its field', async ({ page, engine, problems }) => {
    const run = await openRun(page);
    await paste(
        page,
        `docker run --name system --gpus all --device /dev/null:/dev/nothing:rw --ulimit nofile=512:1024 --sysctl net.core.somaxconn=300 --security-opt no-new-privileges --dns 192.0.2.1 --add-host db:192.0.2.2 --log-opt max-size=1m --health-cmd true --health-interval 1s ${IMAGE} sleep 9999`,
    );
    await run.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(run.getByRole('tab', { name: 'System' })).toHaveAttribute('aria-selected', 'true');
    await expect(run.getByRole('alert')).toContainText(/gpu|device driver/i);
    await run.getByLabel('GPUs').fill('');
    await run.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page).toHaveURL(/#\/containers\/system/);
    const { Config, HostConfig } = await engine.api('GET', '/containers/system/json');
    expect(Config.Healthcheck).toMatchObject({ Test: ['CMD-SHELL', 'true'], Interval: 1e9 });
    expect(HostConfig).toMatchObject({
        Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/nothing', CgroupPermissions: 'rw' }],
        Ulimits: [{ Name: 'nofile', Soft: 512, Hard: 1024 }],
        Sysctls: { 'net.core.somaxconn': '300' },
        SecurityOpt: ['no-new-privileges'],
        Dns: ['192.0.2.1'],
        ExtraHosts: ['db:192.0.2.2'],
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
    });
    await expect.poll(async () => (await engine.api('GET', '/containers/system/json')).State.Health?.Status).toBe('healthy');
    expect(problems).toEqual([]);
});
