// Runs a container as `docker run -d` does: makes it, pulls its image where it
// is missing, starts it. One that does not start is taken away again, so that
// a second try meets no container of the same name.
import type { App } from '$lib/app.svelte';
import { EngineError } from '$lib/api/error';
import type { Task } from '$lib/resources/tasks.svelte';
import type { CreateBody } from './create';
import type { RunForm } from './form';

export type Stage = { readonly kind: 'pulling'; readonly task: Task } | { readonly kind: 'creating' } | { readonly kind: 'starting'; readonly id: string };

export interface Started {
    readonly id: string;
    readonly warnings: readonly string[];
}

/** @throws what the engine says; {Cancelled} where the pull was cancelled. */
export async function start(app: Pick<App, 'client' | 'images'>, form: RunForm, body: CreateBody, tell: (stage: Stage) => void): Promise<Started> {
    const { client } = app;
    const image = form.image.trim();
    const create = () => {
        tell({ kind: 'creating' });
        const query = { ...(form.name === '' ? {} : { name: form.name }), ...(form.platform === '' ? {} : { platform: form.platform }) };
        return client.post('/containers/create', { query, json: body });
    };
    const pull = async () => {
        const task = app.images.pull(image, form.platform);
        tell({ kind: 'pulling', task });
        const state = await task.over;
        if (state === 'cancelled') throw new Cancelled();
        if (state === 'failed') throw new Error(task.detail);
    };

    if (form.pull === 'always') await pull();
    const made = await create().catch(async (error: unknown) => {
        const missing = error instanceof EngineError && error.status === 404 && /no such image/i.test(error.message);
        if (!missing || form.pull !== 'missing') throw error;
        await pull();
        return create();
    });
    tell({ kind: 'starting', id: made.Id });
    try {
        await client.post('/containers/{id}/start', { path: { id: made.Id } });
    } catch (error) {
        // It may have gone by itself.
        await client.delete('/containers/{id}', { path: { id: made.Id }, query: { force: true, v: true } }).catch(() => undefined);
        throw error;
    }
    return { id: made.Id, warnings: made.Warnings ?? [] };
}

export class Cancelled extends Error {
    override readonly name = 'Cancelled';
}
