// One container's log as one looks at it: reads the engine's stream into the
// buffer, sifts it, and tells the view at most once a frame that there is more.
//
// A stream ends when the container stops, and is opened again when it starts
// or when the engine comes back, from the line after the last. While nobody
// looks it is closed: the engine keeps what comes, and is asked for it then.
import type { App } from '$lib/app.svelte';
import { messageOf } from '$lib/api/error';
import { Frames, jsonLines } from '$lib/api/stream';
import { filters } from '$lib/api/client';
import type { EngineEvent } from '$lib/resources/engine.svelte';
import { LogBuffer } from './buffer';
import { collect } from './collect';
import type { Threshold } from './level';
import { queryOf, type Range } from './range';
import { micros, Runs } from './runs';
import type { Pattern } from './pattern';
import { Sieve } from './sieve';
import { giveWay } from '$lib/time/way';

const SLICE = 8;
/** More than this between two frames is a flood: nobody reads it, and it is drawn a few times a second. */
const FLOOD = 60;
const PACE = 100;

export interface Subject {
    readonly id: string;
    readonly tty: boolean;
    /** The engine's times of its last start and end. */
    readonly startedAt: string;
    readonly finishedAt: string;
}

export class LogViewer {
    readonly buffer = new LogBuffer();
    readonly runs = new Runs();
    /** Grows with every change of what is shown. */
    version = $state(0);
    range = $state.raw<Range>({ kind: 'newest' });
    loaded = $state(false);
    error = $state<string | null>(null);
    sieve = $state.raw<Sieve | null>(null);
    onlyMatching = $state(false);

    readonly #app: App;
    readonly #subject: Subject;
    readonly #leave: () => void;
    #stream: AbortController | null = null;
    #resume = '';
    #told = false;
    #drawn = { end: 0, at: -Infinity };
    #closed = false;

    constructor(app: App, subject: Subject) {
        this.#app = app;
        this.#subject = subject;
        this.runs.noteStart(micros(subject.startedAt));
        this.runs.noteEnd(micros(subject.finishedAt));
        this.#leave = app.engine.subscribe({
            resync: () => {
                void this.#read();
                void this.#history();
            },
            lost: () => this.#stop(),
            event: (event) => {
                if (this.#note(event) === 'start') void this.#read();
            },
            hidden: () => this.#stop(),
            shown: () => void this.#read(),
        });
    }

    close(): void {
        this.#closed = true;
        this.#leave();
        this.#stop();
    }

    /** Numbers of the lines to show, or null for all that are here. */
    get filtered(): readonly number[] | null {
        if (this.sieve === null) return null;
        if (this.onlyMatching && this.sieve.wanted.pattern !== null) return this.sieve.matches;
        return this.sieve.wanted.threshold === 'all' ? null : this.sieve.passing;
    }

    get matches(): readonly number[] {
        return this.sieve?.matches ?? [];
    }

    /** What to look for. Where it asks for everything there is nothing to go through. */
    ask(pattern: Pattern | null, threshold: Threshold, parsed: boolean): void {
        this.sieve = pattern === null && threshold === 'all' ? null : new Sieve({ pattern, threshold, parsed }, this.buffer);
        this.#tell();
    }

    clear(): void {
        this.buffer.clear();
        this.#tell();
    }

    choose(range: Range): void {
        this.range = range;
        this.#again();
    }

    /** The text of lines, all that are shown unless it says which. */
    collect(times: boolean, numbers: readonly number[] | null = this.filtered): Promise<string[]> {
        return collect(this.buffer, numbers, times, giveWay);
    }

    #again(): void {
        this.#stop();
        this.buffer.clear();
        this.#resume = '';
        this.loaded = false;
        // What was kept of the numbers is of lines that are gone.
        if (this.sieve !== null) this.sieve = new Sieve(this.sieve.wanted, this.buffer);
        this.#tell();
        void this.#read();
    }

    #stop(): void {
        if (this.#stream === null) return;
        this.#stream.abort();
        this.#stream = null;
        this.buffer.forgetRest();
        this.#remember();
    }

    async #read(): Promise<void> {
        const { engine, client } = this.#app;
        if (this.#stream !== null || this.#closed || engine.hidden || !engine.running) return;
        const stream = new AbortController();
        this.#stream = stream;
        try {
            const { body } = await client.stream('GET', '/containers/{id}/logs', {
                path: { id: this.#subject.id },
                query: { stdout: true, stderr: true, timestamps: true, ...queryOf(this.range, Date.now(), this.#resume) },
                signal: stream.signal,
            });
            if (stream.signal.aborted) return;
            this.loaded = true;
            this.error = null;
            if (body !== null) await this.#take(body, stream.signal);
        } catch (error) {
            if (!stream.signal.aborted && engine.running) this.error = messageOf(error);
        } finally {
            // Whoever has aborted it has remembered, and another may be under way.
            if (this.#stream === stream) {
                this.#stream = null;
                this.buffer.finish();
                this.#remember();
            }
            this.#tell();
        }
    }

    async #take(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void> {
        const frames = new Frames();
        // Not `for await`: WebKit cannot iterate over streams.
        const reader = body.getReader();
        let until = performance.now() + SLICE;
        for (let part = await reader.read(); !part.done && !signal.aborted; part = await reader.read()) {
            if (this.#subject.tty) this.buffer.push('stdout', part.value);
            else frames.push(part.value, (output, bytes) => this.buffer.push(output, bytes));
            this.#tell();
            // Chunks that are here already come without a pause between them.
            if (performance.now() < until) continue;
            await giveWay();
            until = performance.now() + SLICE;
        }
    }

    #remember(): void {
        const last = this.buffer.line(this.buffer.end - 1)?.time ?? '';
        this.#resume = after(last) || this.#resume;
    }

    /** Starts and ends that the engine still remembers of the time before this page. */
    async #history(): Promise<void> {
        try {
            const { body } = await this.#app.client.stream('GET', '/events', {
                query: {
                    since: 0,
                    until: (Date.now() / 1000).toFixed(3),
                    filters: filters({ container: [this.#subject.id], event: ['start', 'die'] }),
                },
            });
            if (body === null) return;
            for await (const event of jsonLines<EngineEvent>(body)) this.#note(event);
            this.#tell();
        } catch {
            // Without it the last start is marked alone.
        }
    }

    #note(event: EngineEvent): 'start' | 'die' | null {
        if (event.Type !== 'container' || event.Actor.ID !== this.#subject.id) return null;
        const at = event.timeNano / 1000;
        if (event.Action === 'die') this.runs.noteEnd(at);
        else if (event.Action === 'start') this.runs.noteStart(at);
        else return null;
        // The clock was set back: what is written now has times from before the
        // last line, and asking for what is later would miss it.
        if (event.Action === 'start' && Number(this.#resume) > at / 1e6) this.#again();
        return event.Action;
    }

    #tell(): void {
        if (this.#told || this.#closed) return;
        this.#told = true;
        const flood = this.buffer.end - this.#drawn.end > FLOOD;
        const wait = flood ? this.#drawn.at + PACE - performance.now() : 0;
        if (wait > 0) setTimeout(() => this.#draw(), wait);
        else this.#draw();
    }

    #draw(): void {
        // A hidden page gets no frames: nothing is drawn.
        requestAnimationFrame(() => {
            this.#told = false;
            this.#drawn = { end: this.buffer.end, at: performance.now() };
            const until = performance.now() + SLICE;
            this.sieve?.scan(this.buffer, () => performance.now() > until);
            this.version += 1;
            if (this.sieve !== null && !this.sieve.finished(this.buffer)) this.#tell();
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
