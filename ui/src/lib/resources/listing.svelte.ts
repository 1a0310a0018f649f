// A list of the engine's things: fetched once when the engine is there, then
// kept true by its events. It is never polled.
//
// Events only name what has changed. A flush fetches those few, or everything
// when they are many; flushes are at least FLOOR apart, one at a time, and
// wait while nobody looks. So a burst of any size costs a bounded number of
// requests. When the engine is gone the list stays as it was last known.
import { messageOf } from '$lib/api/error';
import { Changes, type Change } from './changes';
import type { Engine, EngineEvent } from './engine.svelte';

const GATHER = 40;
const FLOOR = 250;
/** Names in one request: more would be a long address for a list that is as cheap whole. */
const FEW = 64;

export interface Source<T> {
    readonly id: (item: T) => string;
    readonly all: (signal: AbortSignal) => Promise<readonly T[]>;
    /** Those of the ids that exist. Where there is none, everything is fetched. */
    readonly some?: (ids: readonly string[], signal: AbortSignal) => Promise<readonly T[]>;
    /** What an event changes in this list. */
    readonly concerns: (event: EngineEvent) => Change | null;
}

export class Listing<T> {
    items = $state.raw<readonly T[]>([]);
    /** Something was fetched at least once. */
    loaded = $state(false);
    error = $state<string | null>(null);

    readonly #source: Source<T>;
    readonly #engine: Engine;
    readonly #changes = new Changes(FEW);
    #timer: ReturnType<typeof setTimeout> | null = null;
    #working = false;
    #lastFlush = -Infinity;
    #abort = new AbortController();
    readonly #waiters: (() => void)[] = [];

    constructor(engine: Engine, source: Source<T>) {
        this.#engine = engine;
        this.#source = source;
        engine.subscribe({
            resync: () => this.refresh(),
            lost: () => {
                this.#abort.abort();
                this.#abort = new AbortController();
                this.#settle();
            },
            event: (event) => {
                const change = source.concerns(event);
                if (change === null) return;
                this.#changes.note(change);
                this.#schedule();
            },
            shown: () => this.#schedule(),
        });
    }

    refresh(): void {
        this.#changes.everything();
        this.#schedule();
    }

    /** Notes a change that is known before its event comes. Resolves when the list shows it. */
    touched(id: string): Promise<void> {
        this.#changes.note({ id, gone: false });
        if (!this.#engine.running) return Promise.resolve();
        return new Promise((resolve) => {
            this.#waiters.push(resolve);
            this.#schedule();
        });
    }

    #settle(waiters = this.#waiters.splice(0)): void {
        for (const done of waiters) done();
    }

    #schedule(): void {
        if (this.#timer !== null || this.#working || this.#changes.empty || !this.#engine.running) return;
        if (this.#engine.hidden && this.loaded) return;
        const wait = Math.max(this.loaded ? GATHER : 0, this.#lastFlush + FLOOR - performance.now());
        this.#timer = setTimeout(() => {
            this.#timer = null;
            void this.#flush();
        }, wait);
    }

    async #flush(): Promise<void> {
        this.#working = true;
        this.#lastFlush = performance.now();
        const { all, ids, gone } = this.#changes.take();
        const waiters = this.#waiters.splice(0);
        const { signal } = this.#abort;
        const { some } = this.#source;
        try {
            if (all || (some === undefined && ids.length > 0)) {
                this.items = await this.#source.all(signal);
            } else {
                const found = some === undefined || ids.length === 0 ? [] : await some(ids, signal);
                this.items = merged(this.items, found, new Set([...ids, ...gone]), this.#source.id);
            }
            this.loaded = true;
            this.error = null;
        } catch (error) {
            // Where the engine is gone, the resync that follows fetches everything.
            if (!signal.aborted) {
                this.error = messageOf(error);
                if (this.#engine.running) this.#changes.everything();
            }
        } finally {
            this.#working = false;
            this.#settle(waiters);
            if (this.error === null) this.#schedule();
            else setTimeout(() => this.#schedule(), 2_000);
        }
    }
}

/** Puts what was found in the place it had; what was asked for and not found is gone. */
export function merged<T>(before: readonly T[], found: readonly T[], asked: ReadonlySet<string>, id: (item: T) => string): readonly T[] {
    const fresh = new Map(found.map((item) => [id(item), item]));
    const after: T[] = [];
    for (const item of before) {
        const key = id(item);
        const replacement = fresh.get(key);
        if (replacement !== undefined) {
            after.push(replacement);
            fresh.delete(key);
        } else if (!asked.has(key)) after.push(item);
    }
    after.push(...fresh.values());
    return after;
}
