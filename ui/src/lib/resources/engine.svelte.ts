// The connection with the engine: does what `engine/connection` decides.
//
// It owns the one stream of events, the timers and the heartbeat. Resources
// subscribe; none of them asks on its own whether the engine is there.
import type { Client } from '$lib/api/client';
import { messageOf } from '$lib/api/error';
import { jsonLines } from '$lib/api/stream';
import { HostError } from '$lib/host/types';
import { advance, initial, type Connection, type Effect, type EngineFacts, type Event, type Trouble } from '$lib/engine/connection';

const PATIENCE = 4_000;

export interface EngineEvent {
    readonly Type: string;
    readonly Action: string;
    readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> };
    readonly time: number;
    readonly timeNano: number;
}

export interface Subscriber {
    /** Fetch everything anew. */
    resync?(): void;
    event?(event: EngineEvent): void;
    /** The engine is gone: requests under way lead nowhere. */
    lost?(): void;
    /** Nobody looks: let go of what is read only to be seen. */
    hidden?(): void;
    /** Somebody looks again. */
    shown?(): void;
    /** Another engine, or another version of it, answers now. */
    replaced?(before: EngineFacts, after: EngineFacts): void;
}

export class Engine {
    connection = $state.raw<Connection>(initial);
    readonly client: Client;

    readonly #subscribers = new Set<Subscriber>();
    #abort = new AbortController();
    #wait: ReturnType<typeof setTimeout> | null = null;
    #pulse: ReturnType<typeof setTimeout> | null = null;

    constructor(client: Client) {
        this.client = client;
    }

    get running(): boolean {
        return this.connection.phase === 'running';
    }

    get hidden(): boolean {
        return this.connection.hidden;
    }

    subscribe(subscriber: Subscriber): () => void {
        this.#subscribers.add(subscriber);
        if (this.running) subscriber.resync?.();
        return () => void this.#subscribers.delete(subscriber);
    }

    start(): void {
        this.send({ kind: 'start' });
    }

    retry(): void {
        this.send({ kind: 'retry' });
    }

    /** Tells whether somebody looks: nothing is asked while nobody does. */
    look(hidden: boolean): void {
        this.send({ kind: hidden ? 'hidden' : 'shown' });
        for (const subscriber of this.#subscribers) {
            if (hidden) subscriber.hidden?.();
            else subscriber.shown?.();
        }
    }

    send(event: Event): void {
        const [next, effects] = advance(this.connection, event);
        const wasRunning = this.running;
        const before = this.connection.facts;
        this.connection = next;
        if (event.kind === 'answered' && before !== null && differ(before, event.facts)) {
            for (const subscriber of this.#subscribers) subscriber.replaced?.(before, event.facts);
        }
        if (wasRunning && !this.running) for (const subscriber of this.#subscribers) subscriber.lost?.();
        for (const effect of effects) this.#run(effect);
    }

    #run(effect: Effect): void {
        switch (effect.kind) {
            case 'close':
                this.#abort.abort();
                this.#abort = new AbortController();
                this.#clear();
                break;
            case 'probe':
                void this.#probe(this.#abort.signal);
                break;
            case 'listen':
                void this.#listen(this.#abort.signal);
                break;
            case 'ping':
                void this.#ping(this.#abort.signal);
                break;
            case 'resync':
                for (const subscriber of this.#subscribers) subscriber.resync?.();
                break;
            case 'wait':
                if (this.#wait !== null) clearTimeout(this.#wait);
                this.#wait = setTimeout(() => this.send({ kind: 'due' }), effect.milliseconds);
                break;
            case 'pulse':
                if (this.#pulse !== null) clearTimeout(this.#pulse);
                this.#pulse = setTimeout(() => this.send({ kind: 'beat' }), effect.milliseconds);
                break;
        }
    }

    #clear(): void {
        if (this.#wait !== null) clearTimeout(this.#wait);
        if (this.#pulse !== null) clearTimeout(this.#pulse);
        this.#wait = this.#pulse = null;
    }

    async #probe(signal: AbortSignal): Promise<void> {
        try {
            const answer = await this.client.host.request({ method: 'GET', path: '/version', signal: patient(signal) });
            if (!answer.ok) throw new Error(`the engine answered ${answer.status} to /version`);
            const facts = factsOf((await answer.json()) as Record<string, unknown>);
            this.client.speak(facts.apiVersion);
            if (!signal.aborted) this.send({ kind: 'answered', facts });
        } catch (error) {
            this.#failed(signal, error);
        }
    }

    async #listen(signal: AbortSignal): Promise<void> {
        try {
            // Only the answer's head has to come in time; its body never ends.
            const late = new AbortController();
            const timer = setTimeout(() => late.abort(new DOMException('', 'TimeoutError')), PATIENCE);
            const answer = await this.client.stream('GET', '/events', { signal: AbortSignal.any([signal, late.signal]) });
            clearTimeout(timer);
            if (answer.body === null) throw new Error('the engine sent no events');
            this.send({ kind: 'opened' });
            for await (const event of jsonLines<EngineEvent>(answer.body)) {
                if (signal.aborted) return;
                for (const subscriber of this.#subscribers) subscriber.event?.(event);
            }
            throw new HostError('unreachable', 'the engine has gone away');
        } catch (error) {
            this.#failed(signal, error);
        }
    }

    async #ping(signal: AbortSignal): Promise<void> {
        try {
            await (await this.client.host.request({ method: 'GET', path: '/_ping', signal: patient(signal) })).text();
        } catch (error) {
            this.#failed(signal, error);
        }
    }

    #failed(signal: AbortSignal, error: unknown): void {
        if (!signal.aborted) this.send({ kind: 'failed', trouble: troubleOf(error), detail: messageOf(error) });
    }
}

const patient = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);

export function troubleOf(error: unknown): Trouble {
    if (error instanceof HostError) return error.failure;
    if (error instanceof DOMException && error.name === 'TimeoutError') return 'frozen';
    // A stream that breaks in the middle is a TypeError of fetch's.
    return error instanceof TypeError ? 'unreachable' : 'error';
}

const differ = (a: EngineFacts, b: EngineFacts) => a.name !== b.name || a.version !== b.version || a.platform !== b.platform;

function factsOf(version: Record<string, unknown>): EngineFacts {
    const text = (value: unknown) => (typeof value === 'string' ? value : '');
    const platform = version['Platform'] as { Name?: unknown } | undefined;
    return {
        version: text(version['Version']),
        apiVersion: text(version['ApiVersion']),
        name: text(platform?.Name) || 'Docker',
        platform: `${text(version['Os'])}/${text(version['Arch'])}`,
    };
}
