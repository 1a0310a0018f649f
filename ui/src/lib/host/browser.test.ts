import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { browserHost } from './browser';

const asked: { address: string; init: RequestInit }[] = [];
let answer: () => Response;

beforeEach(() => {
    asked.length = 0;
    vi.stubGlobal('localStorage', { getItem: () => 'key', setItem: () => undefined });
    vi.stubGlobal('fetch', async (address: string, init: RequestInit) => {
        asked.push({ address, init });
        return answer();
    });
});

afterEach(() => vi.unstubAllGlobals());

describe('logins at registries', () => {
    const registries = () => browserHost().native.registries;

    it('are listed, kept and forgotten at the dashboard, with its session', async () => {
        const login = { server: 'docker.io', user: 'me', store: 'file' };
        answer = () => Response.json({ logins: [login] });
        expect(await registries()?.list()).toEqual([login]);
        answer = () => Response.json({ status: 'Login Succeeded' });
        expect(await registries()?.logIn({ server: 'localhost:5000', user: 'me', secret: 'x' })).toBe('Login Succeeded');
        answer = () => new Response(null, { status: 204 });
        await registries()?.logOut('localhost:5000');
        expect(asked.map(({ address, init }) => `${init.method} ${address}`)).toEqual([
            'GET /registries',
            'POST /registries',
            'DELETE /registries?server=localhost%3A5000',
        ]);
        expect(JSON.parse(String(asked[1]?.init.body))).toEqual({ server: 'localhost:5000', user: 'me', secret: 'x' });
        expect(asked.every(({ init }) => new Headers(init.headers).get('dhow-session') === 'key')).toBe(true);
    });

    it('say why not, in a sentence', async () => {
        answer = () => Response.json({ message: 'unauthorized' }, { status: 401 });
        await expect(registries()?.logIn({ server: 'r', user: 'me', secret: 'x' })).rejects.toThrow('unauthorized');
        answer = () => Response.json({ message: 'no engine' }, { status: 502, headers: { 'dhow-bridge': 'unreachable' } });
        await expect(registries()?.list()).rejects.toMatchObject({ name: 'HostError', failure: 'unreachable', message: 'no engine' });
    });
});
