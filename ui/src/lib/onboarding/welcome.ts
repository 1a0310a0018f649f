// Runs the container that every engine of ours brings along, on a free port of
// this machine, and says where its page is. One that runs already is taken.
import { EngineError } from '$lib/api/error';
import type { Client } from '$lib/api/client';
import { text } from '$lib/text';

export const IMAGE = 'dhow/welcome';
export const NAME = 'welcome';
const PORT = '80/tcp';

/** @throws what the engine says. */
export async function runWelcome(client: Client): Promise<string> {
    const path = { id: NAME };
    const json = { Image: IMAGE, ExposedPorts: { [PORT]: {} }, HostConfig: { PortBindings: { [PORT]: [{ HostIp: '127.0.0.1', HostPort: '' }] } } };
    await client.post('/containers/create', { query: { name: NAME }, json }).catch((error: unknown) => {
        if (error instanceof EngineError && error.status === 404) throw new Error(text.onboarding.container.gone);
        // From the last time, or somebody else's: the next lines tell.
        if (!(error instanceof EngineError) || error.status !== 409) throw error;
    });
    const found = await client.get('/containers/{id}/json', { path });
    if (found.Config?.Image !== IMAGE) throw new Error(`another container is called “${NAME}”: it is made of ${found.Config?.Image ?? 'another image'}`);
    if (found.State?.Running !== true) await client.post('/containers/{id}/start', { path });
    const { NetworkSettings } = await client.get('/containers/{id}/json', { path });
    const port = NetworkSettings?.Ports?.[PORT]?.find((binding) => binding.HostPort)?.HostPort;
    if (port === undefined) throw new Error(`“${NAME}” runs, but publishes no port`);
    return `http://127.0.0.1:${port}/`;
}
