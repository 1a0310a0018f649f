import { Client } from '$lib/api/client';
import { fakeHost } from '$lib/host/fake';
import type { EngineRequest } from '$lib/host/types';
import { expect, it } from 'vitest';
import { Configuration, type EngineFile } from './configuration.svelte';
import type { Setting } from './setting';

const setting = (Name: string, more: Partial<Setting> = {}): Setting => ({ Name, Kind: 'text', Live: false, Flag: false, Value: null, Help: '', ...more });
const FILE: EngineFile = {
    Path: '/etc/dhow/daemon.json',
    Text: '{\n  "debug": false\n}\n',
    Version: 'sha256:1',
    Writable: true,
    Keys: [setting('debug', { Kind: 'flag', Live: true, Value: false }), setting('mtu', { Kind: 'number', Value: 1500 }), setting('dns', { Kind: 'list' })],
};

async function loaded(file = FILE) {
    const host = fakeHost();
    host.on('GET', '/dhow/config', file);
    const configuration = new Configuration({ client: new Client(host) });
    await configuration.load();
    const key = (name: string) => configuration.setting(name) ?? setting(name);
    return { host, configuration, key };
}

const sent = (request: EngineRequest | undefined) => ({ path: request?.path, ...(JSON.parse(String(request?.body)) as object) });

it('has fields and text of one document', async () => {
    const { configuration, key } = await loaded();
    configuration.type(key('debug'), 'on');
    configuration.type(key('dns'), '1.1.1.1\n');
    expect(configuration.text).toBe('{\n  "debug": true,\n  "dns": [\n    "1.1.1.1"\n  ]\n}\n');
    // A line that is just begun is not taken away under one's fingers.
    expect(configuration.field(key('dns'))).toBe('1.1.1.1\n');
    configuration.write('{"dns": ["9.9.9.9"]}');
    expect(configuration.field(key('dns'))).toBe('9.9.9.9');
    expect(configuration.changes.map(({ key }) => key)).toEqual(['debug', 'dns']);
});

it('keeps what is no value yet, and applies nothing until it is one', async () => {
    const { configuration, key } = await loaded();
    configuration.type(key('debug'), 'on');
    configuration.type(key('mtu'), '14x');
    expect(configuration.field(key('mtu'))).toBe('14x');
    expect([...configuration.wrong]).toEqual([['mtu', 'number']]);
    expect(configuration.ready).toBe(false);
    configuration.type(key('mtu'), '1400');
    expect(configuration.ready).toBe(true);
});

it('checks first, then applies what it was shown, and knows what waits', async () => {
    const { host, configuration, key } = await loaded();
    host.on('PUT', '/dhow/config', { Version: 'sha256:2', Live: ['debug'], Restart: ['mtu'] });
    configuration.type(key('debug'), 'on');
    configuration.type(key('mtu'), '1400');
    expect(await configuration.check()).toMatchObject({ Live: ['debug'], Restart: ['mtu'] });
    expect(sent(host.requests.at(-1))).toEqual({ path: '/dhow/config?dry=1', Text: configuration.text, Version: 'sha256:1' });
    expect(configuration.changed).toBe(true);
    host.on('GET', '/dhow/config', { ...FILE, Text: configuration.text, Version: 'sha256:2' });
    await configuration.apply();
    expect(configuration.changed).toBe(false);
    expect(configuration.waiting).toEqual(['mtu']);
    // The engine was restarted.
    host.on('GET', '/dhow/config', { ...FILE, Text: configuration.text, Version: 'sha256:2', Keys: [setting('mtu', { Kind: 'number', Value: 1400 })] });
    await configuration.load();
    expect(configuration.waiting).toEqual([]);
});

it('says what the engine refuses, and keeps what was typed', async () => {
    const { host, configuration, key } = await loaded();
    host.on('PUT', '/dhow/config', Response.json({ message: 'mtu: is too small' }, { status: 400 }));
    configuration.type(key('mtu'), '1');
    expect(await configuration.check()).toBeNull();
    expect(configuration.refusal).toBe('mtu: is too small');
    expect(configuration.field(key('mtu'))).toBe('1');
});

it.each([
    ['merge', { debug: true, mtu: 1400 }],
    ['mine', { debug: true }],
    ['theirs', { debug: false, mtu: 1400 }],
] as const)('goes on after somebody else’s change: %s', async (how, result) => {
    const { host, configuration, key } = await loaded();
    configuration.type(key('debug'), 'on');
    host.on('PUT', '/dhow/config', Response.json({ message: 'changed' }, { status: 409 }));
    host.on('GET', '/dhow/config', { ...FILE, Text: '{"debug": false, "mtu": 1400}', Version: 'sha256:9' });
    expect(await configuration.apply()).toBeNull();
    expect(configuration.theirs?.Version).toBe('sha256:9');
    expect(configuration.ready).toBe(false);
    configuration.resolve(how);
    expect(JSON.parse(configuration.text)).toEqual(result);
    expect(configuration.file?.Version).toBe('sha256:9');
});

it('is told of a change while it was away', async () => {
    const { host, configuration, key } = await loaded();
    host.on('GET', '/dhow/config', { ...FILE, Text: '{}', Version: 'sha256:3' });
    await configuration.load();
    expect(configuration.text).toBe('{}');
    configuration.type(key('debug'), 'on');
    host.on('GET', '/dhow/config', { ...FILE, Version: 'sha256:4' });
    await configuration.load();
    expect(configuration.theirs?.Version).toBe('sha256:4');
});

it('knows an engine that shows nobody its file', async () => {
    const host = fakeHost();
    const configuration = new Configuration({ client: new Client(host) });
    await configuration.load();
    expect(configuration.state).toBe('none');
});
