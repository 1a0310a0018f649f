// What containers use, for those that somebody looks at.
//
// Each watcher names containers; a round asks for each of them once, a few at
// a time, and the next round begins a while after the last one ended, so that
// a slow engine is not asked more. Nothing is asked while nobody looks.
import type { Client } from '$lib/api/client';
import { appended, Meter, type RawStats, type Sample } from '$lib/containers/measure';
import { SvelteMap } from 'svelte/reactivity';
import type { Engine } from './engine.svelte';

const PAUSE = 2_000;
const AT_ONCE = 4;
/** Enough for a sparkline; a container's own page wants more. */
const KEPT = 30;

export class Stats {
    /** The newest samples of each container, oldest first. */
    readonly history = new SvelteMap<string, readonly Sample[]>();
    readonly #engine: Engine;
    readonly #client: Client;
    readonly #wanted = new Map<symbol, { ids: ReadonlySet<string>; kept: number }>();
    readonly #meters = new Map<string, Meter>();
    #timer: ReturnType<typeof setTimeout> | null = null;
    #busy = false;

    constructor(engine: Engine) {
        this.#engine = engine;
        this.#client = engine.client;
        engine.subscribe({ resync: () => this.#soon(0), shown: () => this.#soon(0) });
    }

    newest(id: string): Sample | undefined {
        return this.history.get(id)?.at(-1);
    }

    /** Says what one watcher looks at; an empty set ends it. */
    watch(watcher: symbol, ids: ReadonlySet<string>, kept = KEPT): void {
        const known = this.#ids();
        if (ids.size === 0) this.#wanted.delete(watcher);
        else this.#wanted.set(watcher, { ids, kept });
        const wanted = this.#ids();
        for (const id of known) if (!wanted.has(id)) this.#meters.delete(id);
        if ([...wanted].some((id) => !known.has(id))) this.#soon(0);
        else this.#soon(PAUSE);
    }

    #ids(): Set<string> {
        return new Set([...this.#wanted.values()].flatMap(({ ids }) => [...ids]));
    }

    #kept(id: string): number {
        return Math.max(KEPT, ...[...this.#wanted.values()].map(({ ids, kept }) => (ids.has(id) ? kept : 0)));
    }

    #soon(milliseconds: number): void {
        if (this.#busy || this.#wanted.size === 0) return;
        if (this.#timer !== null) {
            if (milliseconds > 0) return;
            clearTimeout(this.#timer);
        }
        this.#timer = setTimeout(() => {
            this.#timer = null;
            void this.#round();
        }, milliseconds);
    }

    async #round(): Promise<void> {
        if (!this.#engine.running || this.#engine.hidden) return;
        this.#busy = true;
        const waiting = [...this.#ids()];
        const worker = async () => {
            for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await this.#ask(id);
        };
        await Promise.all(Array.from({ length: AT_ONCE }, worker));
        this.#busy = false;
        // The first round of a container only starts its meter.
        const started = [...this.#ids()].some((id) => !this.history.has(id));
        this.#soon(started ? PAUSE / 2 : PAUSE);
    }

    async #ask(id: string): Promise<void> {
        try {
            const raw = (await this.#client.get('/containers/{id}/stats', {
                path: { id },
                query: { stream: false, 'one-shot': true },
                signal: AbortSignal.timeout(PAUSE * 2),
            })) as RawStats;
            const meter = this.#meters.get(id) ?? new Meter();
            this.#meters.set(id, meter);
            const sample = meter.measure(raw, Date.now());
            if (sample !== null) this.history.set(id, appended(this.history.get(id) ?? [], sample, this.#kept(id)));
        } catch {
            // It has stopped in between, or the engine has: the list says so.
            this.#meters.delete(id);
            this.history.delete(id);
        }
    }
}
