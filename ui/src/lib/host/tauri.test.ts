import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

type Call = { command: string; payload: unknown; headers?: Record<string, string> };

const calls: Call[] = [];
let answers: Record<string, (payload: never) => unknown>;

vi.mock('@tauri-apps/api/core', () => ({
    Channel: class {
        onmessage: (message: unknown) => void = () => undefined;
    },
    invoke: async (command: string, payload: unknown, options?: { headers: Record<string, string> }) => {
        calls.push({ command, payload, ...(options === undefined ? {} : { headers: options.headers }) });
        const answer = answers[command];
        return answer === undefined ? undefined : await answer(payload as never);
    },
}));

const { tauriHost } = await import('./tauri');

const bytes = (text: string) => new TextEncoder().encode(text).buffer;
const of = (command: string) => calls.filter((call) => call.command === command);

function reads(...parts: string[]) {
    const left = [...parts, ''];
    return () => bytes(left.shift() ?? '');
}

beforeEach(() => {
    calls.length = 0;
    answers = {
        app_settings: () => ({ texts: { 'app.on-quit': 'ask', theme: 'dark' }, faults: [] }),
        app_engine: () => ({ state: 'up', version: '1', api: '1.55', address: 'unix:///run/dhow.sock' }),
        engine_request: () => ({ status: 200, headers: [['api-version', '1.55']], duplex: false }),
        engine_open: () => ({ status: 101, headers: [], duplex: true }),
        engine_read: reads('{"a":', '1}'),
    };
});

afterEach(() => vi.restoreAllMocks());

describe('requests', () => {
    it('puts an answer together, and reads it only when somebody wants it', async () => {
        const host = await tauriHost();
        const response = await host.request({ method: 'GET', path: '/v1.51/info' });
        expect(response.headers.get('api-version')).toBe('1.55');
        expect(of('engine_read')).toHaveLength(0);
        expect(await response.json()).toEqual({ a: 1 });
    });

    it('sends text with the head and bytes after it', async () => {
        const host = await tauriHost();
        await host.request({ method: 'POST', path: '/v1.51/x', body: '{}' });
        expect(of('engine_request')[0]?.payload).toMatchObject({ head: { body: { text: '{}' } } });
        expect(of('engine_expect')).toHaveLength(0);

        const large = new Uint8Array(600 * 1024);
        await host.request({ method: 'PUT', path: '/v1.51/y', body: new Blob([large]) });
        await vi.waitFor(() => expect(of('engine_finish')).toHaveLength(1));
        const written = of('engine_write').map((call) => (call.payload as Uint8Array).byteLength);
        expect(written.reduce((sum, length) => sum + length, 0)).toBe(large.byteLength);
        expect(Math.max(...written)).toBeLessThanOrEqual(256 * 1024);
        const order = calls.map((call) => call.command);
        expect(order.indexOf('engine_expect')).toBeLessThan(order.lastIndexOf('engine_request'));
    });

    it('gives each request a number of its own', async () => {
        const host = await tauriHost();
        await Promise.all([1, 2, 3].map(() => host.request({ method: 'GET', path: '/_ping' })));
        const numbers = of('engine_request').map((call) => (call.payload as { head: { number: number } }).head.number);
        expect(new Set(numbers).size).toBe(3);
    });

    it('takes a request back', async () => {
        const host = await tauriHost();
        const controller = new AbortController();
        answers['engine_request'] = () => new Promise(() => undefined);
        const waiting = host.request({ method: 'GET', path: '/v1.51/events', signal: controller.signal });
        await vi.waitFor(() => expect(of('engine_request')).toHaveLength(1));
        controller.abort();
        await vi.waitFor(() => expect(of('engine_cancel')).toHaveLength(1));
        void waiting.catch(() => undefined);

        answers['engine_request'] = () => ({ status: 200, headers: [], duplex: false });
        const response = await host.request({ method: 'GET', path: '/v1.51/events' });
        await response.body?.cancel();
        expect(of('engine_cancel')).toHaveLength(2);
    });

    it('says why nothing was answered', async () => {
        const host = await tauriHost();
        answers['engine_request'] = () => Promise.reject({ failure: 'denied', message: 'permission denied' });
        await expect(host.request({ method: 'GET', path: '/_ping' })).rejects.toMatchObject({ name: 'HostError', failure: 'denied' });
        answers['engine_request'] = () => Promise.reject({ failure: 'invalid', message: 'no path' });
        await expect(host.request({ method: 'GET', path: '/x' })).rejects.toThrow(TypeError);
    });

    it('reads a broken answer as broken, not as its end', async () => {
        const host = await tauriHost();
        answers['engine_read'] = () => Promise.reject({ failure: 'unreachable', message: 'the connection broke off' });
        const response = await host.request({ method: 'GET', path: '/v1.51/x' });
        await expect(response.text()).rejects.toMatchObject({ failure: 'unreachable' });
    });
});

describe('connections', () => {
    it('ends each direction on its own', async () => {
        const host = await tauriHost();
        answers['engine_read'] = reads('out');
        const { readable, writable } = await host.open({ method: 'POST', path: '/v1.51/exec/1/start', body: '{}' });
        const writer = writable.getWriter();
        await writer.write(new Uint8Array([1, 2]));
        await writer.close();
        expect(of('engine_finish')).toHaveLength(1);
        expect(of('engine_cancel')).toHaveLength(0);
        expect(await new Response(readable).text()).toBe('out');
    });

    it('throws what the engine refuses', async () => {
        const host = await tauriHost();
        answers['engine_open'] = () => ({ status: 409, headers: [], duplex: false });
        answers['engine_read'] = reads('{"message":"container is not running"}');
        await expect(host.open({ method: 'POST', path: '/v1.51/exec/1/start' })).rejects.toThrow('container is not running');
    });
});

describe('settings', () => {
    it('are known at once, and what the file refuses is not so', async () => {
        const host = await tauriHost();
        const { settings } = host.native;
        expect(settings.get('theme')).toBe('dark');
        const changed: string[] = [];
        settings.onChange?.((key) => changed.push(key));
        vi.spyOn(console, 'warn').mockImplementation(() => undefined);
        answers['app_set_setting'] = () => Promise.reject('one of ask, keep, stop');
        settings.set('app.on-quit', 'x');
        expect(settings.get('app.on-quit')).toBe('x');
        await vi.waitFor(() => expect(changed).toEqual(['app.on-quit']));
        expect(settings.get('app.on-quit')).toBe('ask');
    });
});

describe('logins and the command line', () => {
    it('go to the app, and come back as answers or as sentences', async () => {
        const host = await tauriHost();
        const { registries, commandLine } = host.native;
        answers['registries'] = () => [{ server: 'docker.io', user: 'me', store: 'file' }];
        expect(await registries?.list()).toEqual([{ server: 'docker.io', user: 'me', store: 'file' }]);
        answers['registry_log_in'] = () => 'Login Succeeded';
        expect(await registries?.logIn({ server: 'localhost:5000', user: 'me', secret: 'x' })).toBe('Login Succeeded');
        expect(of('registry_log_in')[0]?.payload).toEqual({ server: 'localhost:5000', user: 'me', secret: 'x' });
        await registries?.logOut('docker.io');
        expect(of('registry_log_out')[0]?.payload).toEqual({ server: 'docker.io' });
        await commandLine?.install('user');
        expect(of('install_command_line')[0]?.payload).toEqual({ scope: 'user' });
        answers['remove_command_line'] = () => Promise.reject('/x is not ours');
        const refused = await commandLine?.remove('system').catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(Error);
        expect(refused).toMatchObject({ message: '/x is not ours' });
    });
});
