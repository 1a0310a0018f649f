// The engine's events as a person reads them.
import type { EngineEvent } from '$lib/resources/engine.svelte';
import { shortId } from '$lib/format/units';
import type { Tone } from '$ui/Badge.svelte';

export type Kind = 'container' | 'image' | 'volume' | 'network' | 'engine';

export interface Entry {
    /** Counts up as they come. */
    readonly number: number;
    /** Milliseconds since 1970. */
    readonly at: number;
    readonly kind: Kind;
    readonly action: string;
    readonly id: string;
    readonly name: string;
    readonly tone: Tone;
    /** What else was told, as `name=value`. */
    readonly detail: string;
    /** Part of how the engine watches itself: health probes and the like. */
    readonly background: boolean;
    readonly haystack: string;
}

const KINDS: Readonly<Record<string, Kind>> = { container: 'container', image: 'image', volume: 'volume', network: 'network' };
const GOOD = new Set(['start', 'unpause', 'health_status: healthy', 'pull', 'push']);
const BAD = new Set(['oom', 'health_status: unhealthy']);
const WARN = new Set(['kill', 'destroy', 'delete', 'prune', 'restart', 'pause']);
/** Told by other columns. */
const SAID = new Set(['name', 'image']);

export function entryOf(event: EngineEvent, number: number, containerName: (id: string) => string | undefined = () => undefined): Entry {
    const attributes = event.Actor.Attributes ?? {};
    const kind = KINDS[event.Type] ?? 'engine';
    // What is run in a container stands behind a colon.
    const [action = '', ...more] = /^exec_\w+: /.test(event.Action) ? splitOnce(event.Action) : [event.Action];
    const name = nameOf(event);
    const detail = [
        ...(more.length > 0 ? more : []),
        ...(attributes['image'] !== undefined && kind === 'container' ? [attributes['image']] : []),
        // Labels of the container stand among the attributes; only the engine's own are short words.
        ...Object.entries(attributes).flatMap(([key, value]) => (SAID.has(key) || !/^[a-zA-Z/]+$/.test(key) || value === '' ? [] : [`${key}=${/^[0-9a-f]{64}$/.test(value) ? (containerName(value) ?? shortId(value)) : value}`])),
    ].join(' · ');
    return {
        number,
        at: event.timeNano > 0 ? event.timeNano / 1e6 : event.time * 1000,
        kind,
        action,
        id: event.Actor.ID,
        name,
        tone: toneOf(action, attributes),
        detail,
        background: /^(?:exec_|health_status$|top$|resize$)/.test(action),
        haystack: [event.Type, action, name, event.Actor.ID, detail].join('\n').toLowerCase(),
    };
}

function splitOnce(text: string): string[] {
    const at = text.indexOf(': ');
    return [text.slice(0, at), text.slice(at + 2)];
}

function nameOf(event: EngineEvent): string {
    const { ID, Attributes = {} } = event.Actor;
    const name = Attributes['name'] ?? '';
    if (event.Type === 'image') return name.startsWith('sha256:') || name === '' ? (ID.startsWith('sha256:') ? shortId(ID) : ID) : name;
    if (name !== '') return name;
    return /^(?:sha256:)?[0-9a-f]{64}$/.test(ID) ? shortId(ID) : ID;
}

function toneOf(action: string, attributes: Readonly<Record<string, string>>): Tone {
    if (action === 'die') return ['0', '130', '143'].includes(attributes['exitCode'] ?? '') ? 'neutral' : 'bad';
    if (BAD.has(action)) return 'bad';
    if (GOOD.has(action)) return 'good';
    return WARN.has(action) ? 'warn' : 'neutral';
}

/** The newest so many, however many come. */
export class Ring<T> {
    readonly #most: number;
    #all: T[] = [];
    /** How many were let go. */
    dropped = 0;

    constructor(most: number) {
        this.#most = most;
    }

    push(item: T): void {
        this.#all.push(item);
        // Not one by one: moving all of them for each would be slow.
        if (this.#all.length >= this.#most * 2) this.#trim();
    }

    /** Newest first. */
    newest(): T[] {
        this.#trim();
        return this.#all.toReversed();
    }

    clear(): void {
        this.#all = [];
        this.dropped = 0;
    }

    #trim(): void {
        const over = this.#all.length - this.#most;
        if (over <= 0) return;
        this.dropped += over;
        this.#all = this.#all.slice(over);
    }
}
