// The engine's events since this window opened, the newest thousands of them.
import { entryOf, Ring, type Entry } from '$lib/activity/events';
import type { Engine, EngineEvent } from './engine.svelte';

const MOST = 2_000;
/** A burst is shown once. */
const FRAME = 120;

export class Activity {
    /** Newest first. */
    entries = $state.raw<readonly Entry[]>([]);
    dropped = $state(0);
    /** What comes is kept, but what is shown stays. */
    paused = $state(false);
    /** Came since the pause. */
    waiting = $state(0);

    readonly #ring = new Ring<Entry>(MOST);
    #next = 1;
    #came = 0;
    #timer: ReturnType<typeof setTimeout> | null = null;
    readonly #engine: Engine;
    /** Of containers, as events told them; the oldest are forgotten. */
    readonly #names = new Map<string, string>();

    constructor(engine: Engine) {
        this.#engine = engine;
        engine.subscribe({
            event: (event) => {
                this.#learn(event);
                this.#ring.push(entryOf(event, this.#next++, (id) => this.#name(event, id)));
                this.#came += 1;
                this.#schedule();
            },
            shown: () => this.#schedule(),
        });
    }

    pause(paused: boolean): void {
        this.paused = paused;
        this.#show();
    }

    clear(): void {
        this.#ring.clear();
        this.#came = 0;
        this.waiting = 0;
        this.#show(true);
    }

    #name(event: EngineEvent, id: string): string | undefined {
        return this.#names.get(id) ?? (event.Actor.ID === id ? event.Actor.Attributes?.['name'] : undefined);
    }

    #learn(event: EngineEvent): void {
        const name = event.Actor.Attributes?.['name'];
        if (event.Type !== 'container' || name === undefined) return;
        this.#names.delete(event.Actor.ID);
        this.#names.set(event.Actor.ID, name);
        const [oldest] = this.#names.keys();
        if (this.#names.size > MOST && oldest !== undefined) this.#names.delete(oldest);
    }

    #schedule(): void {
        if (this.#timer !== null || this.#came === 0 || this.#engine.hidden) return;
        this.#timer = setTimeout(() => {
            this.#timer = null;
            this.#show();
        }, FRAME);
    }

    #show(anyway = false): void {
        if (this.paused && !anyway) {
            this.waiting += this.#came;
            this.#came = 0;
            return;
        }
        this.waiting = 0;
        this.#came = 0;
        this.entries = this.#ring.newest();
        this.dropped = this.#ring.dropped;
    }
}
