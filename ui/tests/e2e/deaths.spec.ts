// Why it exited: containers that really die, each in its own way, and the
// cause that the card names. Nothing about them is made up but the cause.
import { chmod, mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestEngine } from '../fixtures/engine.ts';
import { container } from '../fixtures/scene.mjs';
import { expect, test } from '../fixtures/test.ts';

interface Death {
    readonly name: string;
    readonly wanted: Partial<Parameters<typeof container>[1]>;
    /** What the card says, its evidence too. */
    readonly says: readonly string[];
    /** What ends it, where it does not end by itself. */
    readonly ended?: (engine: TestEngine) => Promise<unknown>;
}

const signal = (name: string) => (engine: TestEngine) => engine.api('POST', `/containers/victim/kill?signal=${name}`);
const MEMORY = { Memory: 16 << 20, MemorySwap: 16 << 20 };
/** As a crash does: nobody else can send these to a container's first process. */
const raises = (name: string) => ({ command: `kill -${name} $$`, host: { Init: true } });
const IDLE = { command: ['sleep', '99999'], host: { Init: true } };

const DEATHS: readonly Death[] = [
    { name: 'more memory than allowed', wanted: { command: 'dd if=/dev/zero of=/dev/null bs=200M count=1', host: MEMORY }, says: ['It used more memory than its limit of 16 MiB', 'Most it had', 'killed it for memory (OOM)'] },
    { name: 'killed', wanted: IDLE, ended: signal('KILL'), says: ['It was killed (SIGKILL), and not for its memory'] },
    { name: 'stopped', wanted: IDLE, ended: (engine) => engine.api('POST', '/containers/victim/stop?t=10'), says: ['It was asked to stop, and did'] },
    { name: 'interrupted', wanted: IDLE, ended: signal('INT'), says: ['It was interrupted, as by Ctrl-C'] },
    { name: 'hung up', wanted: IDLE, ended: signal('HUP'), says: ['SIGHUP ended it'] },
    { name: 'a bug in the program', wanted: raises('SEGV'), says: ['A bug in its program crashed it (SIGSEGV)'] },
    { name: 'an assertion', wanted: raises('ABRT'), says: ['Its program gave up on an error that it found in itself'] },
    { name: 'a program that is not there', wanted: { command: ['nosuchcommand'] }, says: ['The program “nosuchcommand” is not in its image'] },
    { name: 'a command that the shell does not know', wanted: { command: 'nosuchword' }, says: ['The program “nosuchword” is not in its image', 'not found'] },
    { name: 'a folder as a program', wanted: { command: ['/bin'] }, says: ['“/bin” may not be executed'] },
    { name: 'a file without the right to execute', wanted: { command: ['/plain'] }, says: ['“/plain” may not be executed'] },
    { name: 'a program for another processor', wanted: { command: ['/foreign'] }, says: ['“/foreign” is made for another kind of processor', 'amd64'] },
    { name: 'a script without its interpreter', wanted: { command: ['/script'] }, says: ['“/script” names an interpreter that is not in its image'] },
    { name: 'a full disk', wanted: { command: 'dd if=/dev/zero of=/small/x bs=1M count=4', host: { Tmpfs: { '/small': 'size=1m' } } }, says: ['The disk is full', 'No space left on device'] },
    { name: 'a file system for reading only', wanted: { command: 'touch /x', host: { ReadonlyRootfs: true } }, says: ['It wrote where only reading is allowed', 'Read-only file system'] },
    { name: 'a process too many', wanted: { command: 'sleep 9 & sleep 9 & sleep 9 & sleep 9 & wait', host: { PidsLimit: 3 } }, says: ['It wanted more processes than it may have'] },
    { name: 'a folder of another user', wanted: { command: 'touch /owned/x', config: { User: '65534' } }, says: ['Its program was not allowed to do something', 'Permission denied'] },
    { name: 'a database that is not up', wanted: { command: 'nc 127.0.0.1 5432' }, says: ['did not accept its connection', 'Connection refused'] },
    { name: 'a port that its program wants twice', wanted: { command: 'nc -l -p 7777 & sleep 0.5; nc -l -p 7777; exit 1' }, says: ['Its program wants port', 'Address already in use'] },
    { name: 'a shell without a terminal', wanted: { command: ['/bin/sh'] }, says: ['“/bin/sh” was started without a terminal'] },
    { name: 'work that was done', wanted: { command: 'echo 14 migrations done' }, says: ['Its work was done'] },
    { name: 'a failure of its own', wanted: { command: 'echo starting; echo fatal: configuration incomplete; echo bye; exit 3' }, says: ['Its program ended with failure 3', 'fatal: configuration incomplete'] },
    { name: 'a health check that fails', wanted: { command: 'sleep 99999', health: 'echo connection refused; false' }, says: ['It runs, but its health check fails', 'connection refused'] },
];

test.describe('names the cause of', () => {
    let files = '';

    test.beforeAll(async () => {
        files = await mkdtemp(join(tmpdir(), 'dhow-deaths-'));
        await writeFile(join(files, 'plain'), 'no program');
        await writeFile(join(files, 'script'), '#!/bin/nosuchshell\n');
        // The head of an ELF file for arm64 (EM_AARCH64, 183).
        const head = Buffer.alloc(64);
        head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
        head.writeUInt16LE(2, 16);
        head.writeUInt16LE(183, 18);
        await writeFile(join(files, 'foreign'), head);
        await chmod(join(files, 'plain'), 0o644);
        for (const name of ['script', 'foreign']) await chmod(join(files, name), 0o755);
        await mkdir(join(files, 'owned'), { mode: 0o755 });
    });
    test.afterAll(() => rm(files, { recursive: true }));

    for (const { name, wanted, says, ended } of DEATHS) {
        test(name, async ({ page, engine }) => {
            const mounts = ['plain', 'script', 'foreign', 'owned'].map((file) => `${join(files, file)}:/${file}`);
            const host = { Binds: mounts, ...wanted.host };
            // The start of what cannot start is refused, and that is its death.
            await container(engine.socket, { command: undefined, ...wanted, name: 'victim', host }).catch(() => undefined);
            await ended?.(engine);
            await page.evaluate(() => (location.hash = '#/containers/victim/logs'));
            const card = page.getByRole('region', { name: 'Why it exited' });
            for (const words of says) await expect(card).toContainText(words);
        });
    }

    test('a port that another container has', async ({ page, engine }) => {
        const ports = { '80/tcp': 18_099 };
        await container(engine.socket, { name: 'first', command: 'sleep 99999', ports });
        await container(engine.socket, { name: 'victim', command: 'sleep 99999', ports }).catch(() => undefined);
        await page.evaluate(() => (location.hash = '#/containers/victim/logs'));
        await expect(page.getByRole('region', { name: 'Why it exited' })).toContainText('Port 18099 is taken on this machine');
    });

    test('a mounted folder that is gone', async ({ page, engine }) => {
        const source = join(files, 'gone');
        await mkdir(source);
        const host = { Mounts: [{ Type: 'bind', Source: source, Target: '/data' }] };
        await container(engine.socket, { name: 'victim', command: 'sleep 99999', host, created: true });
        await rmdir(source);
        await engine.api('POST', '/containers/victim/start').catch(() => undefined);
        await page.evaluate(() => (location.hash = '#/containers/victim/logs'));
        await expect(page.getByRole('region', { name: 'Why it exited' })).toContainText('of this machine, which it mounts, is not there');
    });
});
