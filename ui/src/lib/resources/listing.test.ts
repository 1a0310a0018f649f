import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Client } from '$lib/api/client';
import { fakeHost, type FakeHost } from '$lib/host/fake';
import { HostError } from '$lib/host/types';
import { Changes } from './changes';
import { Containers } from './containers.svelte';
import { Engine } from './engine.svelte';
import { merged } from './listing.svelte';

let host: FakeHost;
let engine: Engine;
let containers: Containers;
let events: ReadableStreamDefaultController<Uint8Array>;
let there: { Id: string; Names: string[]; State: string; Status: string }[];

const lists = () => host.requests.filter((request) => request.path.includes('/containers/json'));
const event = (id: string, Action: string) => `${JSON.stringify({ Type: 'container', Action, Actor: { ID: id } })}\n`;
const send = (text: string) => events.enqueue(new TextEncoder().encode(text));
const summary = (id: string, State = 'running') => ({ Id: id, Names: [`/${id}`], State, Status: '' });

beforeEach(async () => {
    vi.useFakeTimers();
    host = fakeHost();
    there = [summary('a'), summary('b')];
    host.on('GET', '/version', { Version: '0.1.0', ApiVersion: '1.44', Os: 'linux', Arch: 'amd64' });
    host.on('GET', '/_ping', () => new Response('OK'));
    host.on('GET', '/events', () => new Response(new ReadableStream({ start: (controller) => void (events = controller) })));
    host.on('GET', '/containers/json', ({ path }) => {
        const filter = new URL(path, 'http://x').searchParams.get('filters');
        const ids = filter === null ? null : (JSON.parse(filter) as { id: string[] }).id;
        return there.filter(({ Id }) => ids === null || ids.includes(Id));
    });
    engine = new Engine(new Client(host));
    containers = new Containers(engine);
    engine.start();
    await vi.advanceTimersByTimeAsync(400);
});

afterEach(() => {
    engine.send({ kind: 'failed', trouble: 'session', detail: '' });
    vi.useRealTimers();
});

it('is fetched once, in the version that the engine speaks', async () => {
    expect(containers.rows.map((row) => row.name)).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lists().map((request) => request.path)).toEqual(['/v1.44/containers/json?all=true']);
});

it('fetches only what an event names', async () => {
    there = [summary('a', 'exited'), summary('b'), summary('c')];
    send(event('a', 'die') + event('c', 'create') + event('b', 'exec_start: sh'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lists()).toHaveLength(2);
    expect(JSON.parse(new URL(lists()[1]?.path ?? '', 'http://x').searchParams.get('filters') ?? '')).toEqual({ id: ['a', 'c'] });
    expect(containers.rows.map((row) => `${row.name} ${row.state}`)).toEqual(['a exited', 'b running', 'c running']);
});

it('takes what is gone away without asking', async () => {
    send(event('a', 'destroy'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lists()).toHaveLength(1);
    expect(containers.rows.map((row) => row.name)).toEqual(['b']);
});

it('asks a few times, however many events come', async () => {
    for (let burst = 0; burst < 10; burst += 1) {
        send(Array.from({ length: 1_000 }, (_, number) => event(`c${number}`, 'start')).join(''));
        await vi.advanceTimersByTimeAsync(50);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    // Half a second of events, at least a quarter of one between requests.
    expect(lists().length).toBeLessThanOrEqual(1 + 4);
    // And it asked for everything, not for a thousand names.
    expect(Math.max(...lists().map((request) => request.path.length))).toBeLessThan(200);
});

it('asks nothing while nobody looks, and then once', async () => {
    engine.look(true);
    const before = host.requests.length;
    send(event('a', 'die'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(host.requests).toHaveLength(before);
    engine.look(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lists()).toHaveLength(2);
});

it('keeps the list when the engine goes, and fetches it anew when one comes', async () => {
    host.on('GET', '/version', new HostError('unreachable', 'refused'));
    events.close();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(engine.connection).toMatchObject({ phase: 'waiting', trouble: 'unreachable' });
    expect(containers.rows).toHaveLength(2);
    there = [summary('new')];
    host.on('GET', '/version', { Version: '0.2.0', ApiVersion: '1.55' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(engine.connection.facts?.version).toBe('0.2.0');
    expect(containers.rows.map((row) => row.name)).toEqual(['new']);
});

it('says what failed, and shows an action until the list has its outcome', async () => {
    host.on('POST', '/containers/a/stop', () => Response.json({ message: 'no such process' }, { status: 500 }));
    host.on('POST', '/containers/b/stop', () => {
        there = [summary('a'), summary('b', 'exited')];
        return new Response(null, { status: 204 });
    });
    const acting = containers.act('stop', containers.rows);
    expect(containers.pending.get('b')).toBe('stop');
    await vi.advanceTimersByTimeAsync(1_000);
    const failures = await acting;
    expect(failures.map(({ row, error }) => `${row.name}: ${(error as Error).message}`)).toEqual(['a: no such process']);
    expect(containers.pending.size).toBe(0);
    expect(containers.find('b')?.state).toBe('exited');
});

it('merges in place', () => {
    const id = (item: { id: string }) => item.id;
    const items = (...ids: string[]) => ids.map((one) => ({ id: one }));
    expect(merged(items('a', 'b', 'c'), items('d', 'b'), new Set(['a', 'b', 'd']), id).map(id)).toEqual(['b', 'c', 'd']);
});

it('holds no more names than it may', () => {
    const changes = new Changes(3);
    for (const id of ['a', 'b', 'b', 'c']) changes.note({ id, gone: false });
    expect(changes.take()).toEqual({ all: false, ids: ['a', 'b', 'c'], gone: [] });
    for (const id of ['a', 'b', 'c', 'd', 'e']) changes.note({ id, gone: false });
    expect(changes.take()).toEqual({ all: true, ids: [], gone: [] });
    expect(changes.empty).toBe(true);
});
