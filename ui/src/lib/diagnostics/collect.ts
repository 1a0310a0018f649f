// What helps to find out why something does not work: the engine's own
// description, its things, and what this window has seen. Everything passes
// through ./redact before anybody sees it.
import type { App } from '$lib/app.svelte';
import { messageOf } from '$lib/api/error';
import { redact } from './redact';

const EVENTS = 200;
/** The newest ones are what it is about, mostly. */
const INSPECTED = 40;

export async function collect(app: App): Promise<string> {
    const part = async (ask: () => Promise<unknown>) => ask().catch((error: unknown) => ({ failed: messageOf(error) }));
    const { client } = app;
    const [version, info, usage, containers, images, volumes, networks, address] = await Promise.all([
        part(() => client.get('/version')),
        part(() => client.get('/info')),
        part(() => client.get('/system/df')),
        part(() => client.get('/containers/json', { query: { all: true } })),
        part(() => client.get('/images/json')),
        part(() => client.get('/volumes')),
        part(() => client.get('/networks')),
        app.host.native.engineAddress(),
    ]);
    const inspected = await Promise.all(app.containers.rows.slice(0, INSPECTED).map((row) => part(() => app.containers.inspect(row.id))));
    const bundle = {
        made: new Date(app.clock.now).toISOString(),
        window: {
            host: app.host.kind,
            capabilities: [...app.host.native.capabilities],
            engineAddress: address,
            browser: navigator.userAgent,
            connection: app.engine.connection,
        },
        engine: { version, info, usage },
        containers,
        inspected,
        images,
        volumes,
        networks,
        tasks: app.tasks.all.map(({ kind, subject, state, detail }) => ({ kind, subject, state, detail })),
        events: app.activity.entries.slice(0, EVENTS).map(({ at, kind, action, name, detail }) => ({ at: new Date(at).toISOString(), kind, action, name, detail })),
    };
    return JSON.stringify(redact(bundle), null, 2);
}
