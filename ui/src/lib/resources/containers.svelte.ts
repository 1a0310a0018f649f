// Containers: the list, kept true by events, and what can be done with them.
import { filters, type Client, type Schemas } from '$lib/api/client';
import { rowOf, type Row } from '$lib/containers/row';
import { allowed, type Action } from '$lib/containers/state';
import { SvelteMap } from 'svelte/reactivity';
import type { Change } from './changes';
import type { Engine, EngineEvent } from './engine.svelte';
import { Listing } from './listing.svelte';

export interface Failure {
    readonly row: Row;
    readonly error: unknown;
}

export interface RemoveOptions {
    readonly force: boolean;
    /** Volumes without a name go with it. */
    readonly volumes: boolean;
}

const AT_ONCE = 4;
/** Enough of an id to name one, in an address that stays short. */
const BEGINNING = 20;
/** Events of a container that change nothing in the list. */
const QUIET = /^(?:exec_|attach$|detach$|resize$|top$|export$|archive-path$|extract-to-dir$|copy$|commit$|kill$|stop$)/;

export class Containers {
    /** The action under way, by container. */
    readonly pending = new SvelteMap<string, Action>();
    readonly #client: Client;
    readonly #listing: Listing<Row>;

    constructor(engine: Engine) {
        this.#client = engine.client;
        const list = async (query: Record<string, string | boolean>, signal: AbortSignal) =>
            (await this.#client.get('/containers/json', { query: { all: true, ...query }, signal })).map(rowOf);
        this.#listing = new Listing(engine, {
            id: (row) => row.id,
            all: (signal) => list({}, signal),
            some: (ids, signal) => list({ filters: filters({ id: ids.map((id) => id.slice(0, BEGINNING)) }) }, signal),
            concerns: containerChange,
        });
    }

    get rows(): readonly Row[] {
        return this.#listing.items;
    }
    get loaded(): boolean {
        return this.#listing.loaded;
    }
    get error(): string | null {
        return this.#listing.error;
    }
    refresh(): void {
        this.#listing.refresh();
    }

    /** By id, by the beginning of one, or by name: what addresses have. */
    find(reference: string): Row | undefined {
        return (
            this.rows.find((row) => row.id === reference || row.name === reference) ??
            (reference.length >= 12 ? this.rows.find((row) => row.id.startsWith(reference)) : undefined)
        );
    }

    inspect(id: string, options: { size?: boolean; signal?: AbortSignal } = {}): Promise<Schemas['ContainerInspectResponse']> {
        const { size = false, signal } = options;
        return this.#client.get('/containers/{id}/json', { path: { id }, query: { size }, ...(signal ? { signal } : {}) });
    }

    /** Does it with all that allow it, a few at a time. What failed is told, not thrown. */
    act(action: Exclude<Action, 'remove' | 'rename'>, rows: readonly Row[]): Promise<Failure[]> {
        const able = rows.filter((row) => allowed(row.state, action));
        return this.#each(action, able, (row) => this.#client.post(`/containers/{id}/${action}`, { path: { id: row.id } }));
    }

    remove(rows: readonly Row[], { force, volumes }: RemoveOptions): Promise<Failure[]> {
        return this.#each('remove', rows, (row) =>
            this.#client.delete('/containers/{id}', { path: { id: row.id }, query: { force, v: volumes } }),
        );
    }

    async rename(row: Row, name: string): Promise<void> {
        const failed = await this.#each('rename', [row], () =>
            this.#client.post('/containers/{id}/rename', { path: { id: row.id }, query: { name } }),
        );
        for (const { error } of failed) throw error;
    }

    async #each(action: Action, rows: readonly Row[], run: (row: Row) => Promise<unknown>): Promise<Failure[]> {
        const waiting = rows.filter((row) => !this.pending.has(row.id));
        for (const row of waiting) this.pending.set(row.id, action);
        const failures: Failure[] = [];
        const worker = async () => {
            for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
                try {
                    await run(row);
                } catch (error) {
                    failures.push({ row, error });
                }
                // Until the list shows it: otherwise the old state would flash up.
                await this.#listing.touched(row.id);
                this.pending.delete(row.id);
            }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, worker));
        return failures;
    }
}

export function containerChange(event: EngineEvent): Change | null {
    if (event.Type !== 'container' || QUIET.test(event.Action)) return null;
    return { id: event.Actor.ID, gone: event.Action === 'destroy' };
}
