// One container in full, kept true by its events.
import type { App } from '$lib/app.svelte';
import { fill } from '$lib/api/client';
import { EngineError, messageOf } from '$lib/api/error';
import { wordsOf } from '$lib/logs/ansi';
import { Frames } from '$lib/api/stream';
import { explain, type Explanation } from './exit';
import type { Inspected } from './removal';

const FLOOR = 300;
const LAST_LINES = 40;

export class Details {
    value = $state.raw<Inspected | null>(null);
    /** It is not there (any more). */
    gone = $state(false);
    error = $state<string | null>(null);
    explanation = $state.raw<Explanation | null>(null);

    readonly #app: App;
    readonly #reference: string;
    readonly #leave: () => void;
    #timer: ReturnType<typeof setTimeout> | null = null;
    /** It has changed while nobody looked. */
    #stale = false;

    constructor(app: App, reference: string) {
        this.#app = app;
        this.#reference = reference;
        this.#leave = app.engine.subscribe({
            resync: () => this.refresh(),
            shown: () => {
                if (this.#stale) this.refresh();
            },
            event: ({ Type, Action, Actor }) => {
                if (Type !== 'container' || /^(?:exec_|top|resize|attach)/.test(Action)) return;
                // Until it is known which one this is, what happens to any may have happened to it.
                if (Actor.ID !== this.id && this.value !== null) return;
                if (Action === 'destroy' && Actor.ID === this.id) this.gone = true;
                else this.refresh();
            },
        });
    }

    /** Once it is known the id stays, whatever its name becomes. */
    get id(): string {
        return this.value?.Id ?? this.#app.containers.find(this.#reference)?.id ?? this.#reference;
    }

    close(): void {
        this.#leave();
        if (this.#timer !== null) clearTimeout(this.#timer);
    }

    refresh(): void {
        if (this.#timer !== null) return;
        this.#stale = this.#app.engine.hidden;
        if (this.#stale) return;
        this.#timer = setTimeout(
            () => {
                this.#timer = null;
                void this.#read();
            },
            this.value === null ? 0 : FLOOR,
        );
    }

    async #read(): Promise<void> {
        try {
            const value = await this.#app.containers.inspect(this.id);
            this.value = value;
            this.error = null;
            await this.#explain(value);
        } catch (error) {
            if (error instanceof EngineError && error.status === 404) this.gone = true;
            else if (this.#app.engine.running) this.error = messageOf(error);
        }
    }

    async #explain(value: Inspected): Promise<void> {
        const architecture = this.#app.engine.connection.facts?.platform ?? '';
        // Whether there is anything to explain does not hang on the log.
        const worthIt = explain({ container: value, lines: [], architecture }) !== null && value.State?.Running !== true;
        const lines = worthIt ? await this.#last(value).catch(() => []) : [];
        const peak = worthIt && value.State?.OOMKilled === true ? await this.#peak() : null;
        if (this.value !== value) return;
        this.explanation = explain({ container: value, lines, architecture, peak });
    }

    /** The most memory that it had. Other engines than ours do not keep it. */
    async #peak(): Promise<number | null> {
        const { host } = this.#app.client;
        try {
            const answer = await host.request({ method: 'GET', path: fill('/dhow/containers/{id}/exit', { id: this.id }) });
            return answer.ok ? ((await answer.json()) as { MemoryPeak: number | null }).MemoryPeak : null;
        } catch {
            return null;
        }
    }

    async #last(value: Inspected): Promise<string[]> {
        const answer = await this.#app.client.stream('GET', '/containers/{id}/logs', {
            path: { id: this.id },
            query: { stdout: true, stderr: true, tail: LAST_LINES },
        });
        const bytes = new Uint8Array(await answer.arrayBuffer());
        const decoder = new TextDecoder();
        let text = '';
        if (value.Config?.Tty === true) text = decoder.decode(bytes);
        else new Frames().push(bytes, (_, part) => (text += decoder.decode(part)));
        return text.split('\n').map(wordsOf).filter((line) => line.trim() !== '');
    }
}
