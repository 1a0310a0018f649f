// One container's log as one looks at it: reads the engine's stream into the
// buffer, searches, and tells the view at most once a frame that there is more.
//
// A stream ends when the container stops, and is opened again when it starts
// or when the engine comes back, from the line after the last.
import type { App } from '$lib/app.svelte';
import { messageOf } from '$lib/api/error';
import { Frames } from '$lib/api/stream';
import { wordsOf } from './ansi';
import { LogBuffer } from './buffer';
import { LogSearch, patternOf } from './search';

const NEWEST = 10_000;
const SLICE = 8;

export class LogViewer {
    readonly buffer = new LogBuffer();
    /** Grows with every change of what is shown. */
    version = $state(0);
    query = $state('');
    onlyMatching = $state(false);
    /** Not all lines were asked for. */
    cut = $state(true);
    loaded = $state(false);
    error = $state<string | null>(null);
    search = $state.raw<LogSearch | null>(null);

    readonly #app: App;
    readonly #id: string;
    readonly #tty: boolean;
    readonly #leave: () => void;
    #stream: AbortController | null = null;
    #since = '';
    #told = false;
    #closed = false;

    constructor(app: App, id: string, tty: boolean) {
        this.#app = app;
        this.#id = id;
        this.#tty = tty;
        this.#leave = app.engine.subscribe({
            resync: () => void this.#read(),
            lost: () => this.#stop(),
            event: (event) => {
                if (event.Type === 'container' && event.Action === 'start' && event.Actor.ID === id) void this.#read();
            },
        });
    }

    close(): void {
        this.#closed = true;
        this.#leave();
        this.#stop();
    }

    /** Numbers of the lines to show, or null for all that are here. */
    get filtered(): readonly number[] | null {
        return this.onlyMatching && this.search !== null ? this.search.matches : null;
    }

    get wrong(): boolean {
        return this.query !== '' && patternOf(this.query) === null;
    }

    ask(query: string): void {
        this.query = query;
        const pattern = query === '' ? null : patternOf(query);
        this.search = pattern === null ? null : new LogSearch(pattern, this.buffer);
        this.#tell();
    }

    clear(): void {
        this.buffer.clear();
        this.#tell();
    }

    loadAll(): void {
        this.#stop();
        this.buffer.clear();
        this.#since = '';
        this.cut = false;
        void this.#read();
    }

    /** The words of all lines that are shown. */
    text(): string {
        const lines: string[] = [];
        const add = (number: number) => {
            const line = this.buffer.line(number);
            if (line !== null) lines.push(wordsOf(line.text));
        };
        if (this.filtered !== null) this.filtered.forEach(add);
        else for (let number = this.buffer.first; number < this.buffer.end; number += 1) add(number);
        return `${lines.join('\n')}\n`;
    }

    #stop(): void {
        this.#stream?.abort();
        this.#stream = null;
    }

    async #read(): Promise<void> {
        if (this.#stream !== null || this.#closed) return;
        const stream = new AbortController();
        this.#stream = stream;
        try {
            const { body } = await this.#app.client.stream('GET', '/containers/{id}/logs', {
                path: { id: this.#id },
                query: {
                    stdout: true,
                    stderr: true,
                    follow: true,
                    timestamps: true,
                    ...(this.#since === '' ? { tail: this.cut ? NEWEST : 'all' } : { since: this.#since }),
                },
                signal: stream.signal,
            });
            this.loaded = true;
            this.error = null;
            if (body !== null) await this.#take(body);
        } catch (error) {
            if (!stream.signal.aborted && this.#app.engine.running) this.error = messageOf(error);
        } finally {
            this.buffer.finish();
            this.#remember();
            if (this.#stream === stream) this.#stream = null;
            this.#tell();
        }
    }

    async #take(body: ReadableStream<Uint8Array>): Promise<void> {
        const frames = new Frames();
        // Not `for await`: WebKit cannot iterate over streams.
        const reader = body.getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
            if (this.#tty) this.buffer.push('stdout', part.value);
            else frames.push(part.value, (output, bytes) => this.buffer.push(output, bytes));
            this.#tell();
        }
    }

    #remember(): void {
        const last = this.buffer.line(this.buffer.end - 1)?.time ?? '';
        this.#since = after(last) || this.#since;
    }

    #tell(): void {
        if (this.#told || this.#closed) return;
        this.#told = true;
        // A hidden page gets no frames: the buffer fills, nothing is drawn.
        requestAnimationFrame(() => {
            this.#told = false;
            const until = performance.now() + SLICE;
            this.search?.scan(this.buffer, () => performance.now() > until);
            this.version += 1;
            if (this.search !== null && !this.search.finished(this.buffer)) this.#tell();
        });
    }
}

/** The moment after a time, in the engine's words: seconds, and billionths. */
export function after(time: string): string {
    const found = /^(.*?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(time);
    if (found === null) return '';
    const seconds = Date.parse(`${found[1]}${found[3]}`) / 1000;
    const next = Number((found[2] ?? '').padEnd(9, '0')) + 1;
    return next === 1e9 ? `${seconds + 1}.000000000` : `${seconds}.${String(next).padStart(9, '0')}`;
}
