import { describe, expect, it, vi } from 'vitest';
import { Client } from '$lib/api/client';
import { fakeHost, type FakeHost } from '$lib/host/fake';
import { blank } from '$lib/run/form';
import { planOf } from '$lib/run/create';
import { Cancelled, start, type Stage } from '$lib/run/start';
import { Engine } from './engine.svelte';
import { Images, imageChange } from './images.svelte';
import { Tasks } from './tasks.svelte';

const summary = (id: string, tags: string[]) => ({ Id: `sha256:${id}`, RepoTags: tags, RepoDigests: [], Size: 10, SharedSize: 4, Created: 1, ParentId: '' });

/** A response of lines that can be held open. */
function lines(...all: object[]): Response {
    return new Response(all.map((line) => JSON.stringify(line)).join('\n'));
}

function setup(): { host: FakeHost; images: Images; tasks: Tasks; client: Client; engine: Engine } {
    const host = fakeHost();
    const client = new Client(host);
    const engine = new Engine(client);
    const tasks = new Tasks();
    host.on('GET', '/version', { Version: '1', ApiVersion: '1.51' });
    host.on('GET', '/events', () => new Response(new ReadableStream()));
    host.on('GET', '/images/json', [summary('a', ['x:1'])]);
    return { host, client, engine, tasks, images: new Images(engine, tasks) };
}

const asked = (host: FakeHost, method: string) => host.requests.filter((request) => request.method === method).map((request) => decodeURIComponent(request.path.replace(/^\/v[\d.]+/, '')));

describe('the list', () => {
    it('is not fetched before somebody wants it, and once then', async () => {
        const { host, images, engine } = setup();
        engine.start();
        await vi.waitFor(() => expect(engine.running).toBe(true));
        expect(asked(host, 'GET').filter((path) => path.startsWith('/images'))).toEqual([]);
        images.want();
        images.want();
        await vi.waitFor(() => expect(images.loaded).toBe(true));
        expect(images.rows).toMatchObject([{ name: 'x:1', unique: 6, shared: 4 }]);
        expect(asked(host, 'GET').filter((path) => path.startsWith('/images'))).toHaveLength(1);
        expect(images.find('x:1')?.id).toBe('sha256:a');
    });

    it('knows which events change it', () => {
        const event = (Type: string, Action: string) => imageChange({ Type, Action, Actor: { ID: 'x' }, time: 0, timeNano: 0 });
        expect(event('image', 'pull')).not.toBeNull();
        expect(event('container', 'commit')).not.toBeNull();
        expect(event('image', 'push')).toBeNull();
        expect(event('container', 'start')).toBeNull();
    });
});

describe('what is done', () => {
    it('removes names one by one unless it is forced, and tells what failed', async () => {
        const { host, images } = setup();
        const facts = [{ id: 'sha256:a', tags: ['x:1', 'y:1'], digests: [], parent: '', layers: [] }];
        for (const name of ['x%3A1', 'y%3A1', 'sha256%3Aa']) host.on('DELETE', `/images/${name}`, []);
        expect(await images.remove(facts, ['sha256:a'], false)).toEqual([]);
        await images.remove(facts, ['sha256:a'], true);
        expect(asked(host, 'DELETE')).toEqual(['/images/x:1?force=false', '/images/y:1?force=false', '/images/sha256:a?force=true']);
        host.on('DELETE', '/images/x%3A1', Response.json({ message: 'in use' }, { status: 409 }));
        expect(await images.remove(facts, ['sha256:a'], false)).toEqual([{ id: 'sha256:a', error: 'in use' }]);
    });

    it('pulls a tag, never all of them, and joins a pull that runs', async () => {
        const { host, images, tasks } = setup();
        host.on('POST', '/images/create', lines({ id: 'aa', status: 'Pull complete' }, { status: 'Status: Downloaded newer image' }));
        const task = images.pull('r.io:5000/x');
        expect(images.pull('r.io:5000/x:latest')).toBe(task);
        expect(await task.over).toBe('done');
        expect(task).toMatchObject({ detail: 'Downloaded newer image', progress: { layers: [{ id: 'aa' }] } });
        expect(asked(host, 'POST')).toEqual(['/images/create?fromImage=r.io:5000/x&tag=latest']);
        expect(tasks.running).toEqual([]);
    });

    it('fails with what the stream says, in whatever line', async () => {
        const { host, images } = setup();
        host.on('POST', '/images/create', lines({ id: 'aa', status: 'Downloading' }, { errorDetail: { message: 'unexpected EOF' }, error: 'unexpected EOF' }));
        const task = images.pull('x');
        expect(await task.over).toBe('failed');
        expect(task.detail).toBe('unexpected EOF');
    });

    it('is cancelled by letting go of the connection', async () => {
        const { host, images } = setup();
        host.on('POST', '/images/create', (request) => {
            const body = new ReadableStream<Uint8Array>({ start: (controller) => request.signal?.addEventListener('abort', () => controller.error(new Error('aborted'))) });
            return new Response(body);
        });
        const task = images.pull('x');
        await vi.waitFor(() => expect(host.requests).toHaveLength(1));
        task.cancel();
        expect(await task.over).toBe('cancelled');
        expect(task.cancellable).toBe(false);
    });
});

describe('a run', () => {
    const form = { ...blank, image: 'x', name: 'web' };
    const body = planOf(form).body ?? expect.fail('the form is wrong');
    const missing = () => Response.json({ message: 'No such image: x:latest' }, { status: 404 });

    it('pulls what is missing, then makes and starts it', async () => {
        const { host, client, images } = setup();
        let tries = 0;
        host.on('POST', '/containers/create', () => (tries++ === 0 ? missing() : Response.json({ Id: 'c', Warnings: ['w'] }, { status: 201 })));
        host.on('POST', '/images/create', () => lines({ status: 'Status: Downloaded' }));
        host.on('POST', '/containers/c/start', new Response(null, { status: 204 }));
        const stages: Stage['kind'][] = [];
        expect(await start({ client, images }, form, body, (stage) => stages.push(stage.kind))).toEqual({ id: 'c', warnings: ['w'] });
        expect(stages).toEqual(['creating', 'pulling', 'creating', 'starting']);
    });

    it('does not pull where it must not', async () => {
        const { host, client, images } = setup();
        host.on('POST', '/containers/create', missing);
        await expect(start({ client, images }, { ...form, pull: 'never' }, body, () => undefined)).rejects.toThrow('No such image');
        expect(asked(host, 'POST')).toHaveLength(1);
    });

    it('takes away what does not start', async () => {
        const { host, client, images } = setup();
        host.on('POST', '/containers/create', () => Response.json({ Id: 'c' }, { status: 201 }));
        host.on('POST', '/containers/c/start', Response.json({ message: 'port is already allocated' }, { status: 500 }));
        host.on('DELETE', '/containers/c', new Response(null, { status: 204 }));
        await expect(start({ client, images }, form, body, () => undefined)).rejects.toThrow('port is already allocated');
        expect(asked(host, 'DELETE')).toEqual(['/containers/c?force=true&v=true']);
    });

    it('ends quietly where the pull was cancelled', async () => {
        const { host, client, images } = setup();
        host.on('POST', '/images/create', (request) => new Promise((_, failed) => request.signal?.addEventListener('abort', () => failed(new Error('aborted')))));
        const running = start({ client, images }, { ...form, pull: 'always' }, body, (stage) => {
            if (stage.kind === 'pulling') stage.task.cancel();
        });
        await expect(running).rejects.toBeInstanceOf(Cancelled);
    });
});
