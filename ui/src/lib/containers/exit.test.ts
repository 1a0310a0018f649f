import { describe, expect, it } from 'vitest';
import { explain, type Cause } from './exit';
import type { Inspected } from './removal';

/** What a test does not tell, the explainer does not need. */
const inspected = (told: object) => told as Inspected;

interface Died {
    code: number;
    error?: string;
    oom?: boolean;
    lines?: string[];
    command?: string[];
    memory?: number;
    seconds?: number;
    stdin?: boolean;
}

function dead({ code, error = '', oom = false, lines = [], command = ['/app/server'], memory = 0, seconds = 42, stdin = false }: Died) {
    const container = inspected({
        Path: command[0] ?? '',
        Args: command.slice(1),
        State: {
            Status: 'exited',
            Running: false,
            ExitCode: code,
            Error: error,
            OOMKilled: oom,
            StartedAt: '2026-01-01T00:00:00Z',
            FinishedAt: new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString(),
        },
        HostConfig: { Memory: memory },
        Config: { OpenStdin: stdin },
    });
    return explain({ container, lines, architecture: 'amd64' });
}

const create = 'failed to create task for container: failed to create shim task: OCI runtime create failed: unable to start container process: error during container init: ';

const deaths: [string, Died, Cause, string][] = [
    ['more memory than allowed', { code: 137, oom: true, memory: 16 << 20 }, 'outOfMemory', String(16 << 20)],
    ['a kill', { code: 137 }, 'killed', 'SIGKILL'],
    ['a stop', { code: 143 }, 'stopped', 'SIGTERM'],
    ['Ctrl-C', { code: 130 }, 'interrupted', 'SIGINT'],
    ['a program that is not in the image', { code: 127, error: `${create}exec: "nosuch": executable file not found in $PATH: unknown`, command: ['nosuch'] }, 'notFound', 'nosuch'],
    ['a command that the shell does not know', { code: 127, lines: ['sh: nosuchcmd: not found'], command: ['sh', '-c', 'nosuchcmd'] }, 'notFound', 'nosuchcmd'],
    ['a folder as a program', { code: 126, error: `${create}exec: "/bin": is a directory: unknown`, command: ['/bin'] }, 'notExecutable', '/bin'],
    ['a file without the right to execute', { code: 126, error: `${create}exec: "/run.sh": permission denied: unknown` }, 'notExecutable', '/run.sh'],
    ['a program for another processor', { code: 255, lines: ['exec /app/server: exec format error'] }, 'wrongArchitecture', '/app/server'],
    ['a script whose interpreter is missing', { code: 255, lines: ['exec /run.sh: no such file or directory'], command: ['/run.sh'] }, 'interpreterMissing', '/run.sh'],
    ['a library that is missing', { code: 127, lines: ['/app/server: error while loading shared libraries: libssl.so.3: cannot open shared object file'] }, 'libraryMissing', 'libssl.so.3'],
    ['a taken port', { code: 128, error: 'driver failed programming external connectivity on endpoint web (d84): Bind for 127.0.0.1:8080 failed: port is already allocated' }, 'portTaken', '8080'],
    ['a folder that is not there', { code: 128, error: 'invalid mount config for type "bind": bind source path does not exist: /srv/data' }, 'mountMissing', '/srv/data'],
    ['a full disk', { code: 1, lines: ['write /data/x: no space left on device'] }, 'diskFull', ''],
    ['a file system for reading only', { code: 1, lines: ["touch: /etc/x: Read-only file system"] }, 'readOnly', ''],
    ['a fork too many', { code: 2, lines: ["sh: can't fork: Resource temporarily unavailable"] }, 'tooManyProcesses', ''],
    ['a bug in the program', { code: 139, lines: ['Segmentation fault (core dumped)'] }, 'crashedInCode', 'SIGSEGV'],
    ['an assertion', { code: 134, lines: ['assertion failed: x > 0'] }, 'aborted', 'SIGABRT'],
    ['a shell without a terminal', { code: 0, command: ['/bin/sh'], seconds: 0 }, 'noInput', '/bin/sh'],
    ['work that was done', { code: 0, lines: ['14 migrations done'] }, 'finished', ''],
    ['a database that is not up', { code: 1, lines: ['dial tcp db:5432: connect: connection refused', 'exiting'] }, 'refused', 'db:5432'],
    ['a name that is not there', { code: 1, lines: ['getaddrinfo ENOTFOUND db'] }, 'nameNotResolved', ''],
    ['a port that the program wants twice', { code: 1, lines: ['Error: listen EADDRINUSE: address already in use :::3000'] }, 'addressInUse', '3000'],
    ['anything else', { code: 3, lines: ['starting', 'fatal: configuration incomplete', 'bye'] }, 'failed', '3'],
];

describe('names the cause of', () => {
    it.each(deaths)('%s', (_, died, cause, subject) => {
        expect(dead(died)).toMatchObject({ cause, subject });
    });
});

describe('shows what says so', () => {
    it('the most memory that it had, where the engine kept it', () => {
        const container = inspected({ State: { Status: 'exited', ExitCode: 137, OOMKilled: true }, HostConfig: { Memory: 16 << 20 } });
        const evidence = explain({ container, lines: [], architecture: 'amd64', peak: 15 << 20 })?.evidence;
        expect(evidence).toContainEqual({ what: 'peak', text: String(15 << 20) });
        expect(explain({ container, lines: [], architecture: 'amd64' })?.evidence.some(({ what }) => what === 'peak')).toBe(false);
    });
    it('the limit, of a container that was killed for its memory', () => {
        expect(dead({ code: 137, oom: true, memory: 16 << 20 })?.evidence).toEqual([
            { what: 'oom', text: 'OOMKilled' },
            { what: 'limit', text: String(16 << 20) },
            { what: 'exitCode', text: '137' },
            { what: 'signal', text: 'SIGKILL' },
            { what: 'ran', text: '42' },
        ]);
    });

    it('the line that complains, not the last one', () => {
        expect(dead({ code: 3, lines: ['fatal: configuration incomplete', 'bye'] })?.evidence[0]).toEqual({ what: 'log', text: 'fatal: configuration incomplete' });
    });

    it('what the health check said', () => {
        const container = inspected({
            State: { Status: 'running', Running: true, Health: { Status: 'unhealthy', Log: [{ ExitCode: 1, Output: 'connection refused\n' }] } },
            Config: { Healthcheck: { Test: ['CMD-SHELL', 'wget -q localhost'] } },
        });
        expect(explain({ container, lines: [], architecture: 'amd64' })).toMatchObject({
            cause: 'unhealthy',
            evidence: [
                { what: 'probe', text: 'connection refused' },
                { what: 'command', text: 'wget -q localhost' },
                { what: 'exitCode', text: '1' },
            ],
        });
    });
});

describe('does not make up a cause', () => {
    it('for one that was stopped while it complained', () => {
        expect(dead({ code: 143, lines: ['connection refused'] })?.cause).toBe('stopped');
    });

    it('for one that runs well, or never ran', () => {
        expect(explain({ container: { State: { Status: 'running', Running: true } }, lines: [], architecture: '' })).toBeNull();
        expect(explain({ container: { State: { Status: 'created', Running: false } }, lines: [], architecture: '' })).toBeNull();
    });

    it('of no memory where the engine does not say so', () => {
        expect(dead({ code: 137, lines: ['out of memory'] })?.cause).toBe('killed');
    });
});
