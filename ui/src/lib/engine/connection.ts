// Whether the engine is there: a state machine without clocks or requests.
//
//            probe answered                stream opened
// connecting ──────────────► opening ──────────────────► running
//     ▲ │ probe failed          │ stream failed            │ stream ended,
//     │ ▼                       ▼                          │ heartbeat failed
//    waiting ◄──────────────────┴──────────────────────────┘
//
// Lists are true only while `running`: the stream of events is open and the
// lists were fetched after it was. Everything else is shown as what was last
// known. `advance` says what to do; `resources/engine` does it.

export interface EngineFacts {
    readonly version: string;
    readonly apiVersion: string;
    readonly name: string;
    readonly platform: string;
}

/** Why there is no engine: what the host says, or one that is there and does not answer. */
export type Trouble = 'unreachable' | 'denied' | 'session' | 'frozen' | 'error';

export type Phase = 'connecting' | 'opening' | 'running' | 'waiting';

export interface Connection {
    readonly phase: Phase;
    /** Of the last engine that answered. */
    readonly facts: EngineFacts | null;
    readonly trouble: Trouble | null;
    readonly detail: string;
    /** Attempts since it last ran. */
    readonly attempt: number;
    readonly hidden: boolean;
}

export type Event =
    | { readonly kind: 'start' }
    | { readonly kind: 'answered'; readonly facts: EngineFacts }
    | { readonly kind: 'opened' }
    | { readonly kind: 'failed'; readonly trouble: Trouble; readonly detail: string }
    | { readonly kind: 'due' }
    | { readonly kind: 'beat' }
    | { readonly kind: 'shown' }
    | { readonly kind: 'hidden' }
    | { readonly kind: 'retry' };

export type Effect =
    /** Ask who is there. */
    | { readonly kind: 'probe' }
    /** Open the stream of events. */
    | { readonly kind: 'listen' }
    /** The lists have to be fetched anew. */
    | { readonly kind: 'resync' }
    /** Is it still there? One small request. */
    | { readonly kind: 'ping' }
    /** Say `due` after so long. */
    | { readonly kind: 'wait'; readonly milliseconds: number }
    /** Say `beat` after so long. */
    | { readonly kind: 'pulse'; readonly milliseconds: number }
    /** Let go of the stream, of timers and of requests. */
    | { readonly kind: 'close' };

export const HEARTBEAT = 5_000;
const SHORTEST = 250;
const LONGEST = 5_000;

export const initial: Connection = {
    phase: 'connecting',
    facts: null,
    trouble: null,
    detail: '',
    attempt: 0,
    hidden: false,
};

/** How long until the next attempt: doubles, and stays short enough for a person who waits. */
export function backOff(attempt: number): number {
    return Math.min(LONGEST, SHORTEST * 2 ** Math.max(0, attempt - 1));
}

export function advance(state: Connection, event: Event): [Connection, readonly Effect[]] {
    switch (event.kind) {
        case 'start':
        case 'retry':
            return event.kind === 'retry' && state.phase === 'running'
                ? [state, []]
                : [{ ...state, phase: 'connecting' }, [{ kind: 'close' }, { kind: 'probe' }]];
        case 'answered':
            return state.phase === 'connecting'
                ? [{ ...state, phase: 'opening', facts: event.facts }, [{ kind: 'listen' }]]
                : [state, []];
        case 'opened':
            return state.phase === 'opening'
                ? [
                      { ...state, phase: 'running', trouble: null, detail: '', attempt: 0 },
                      [{ kind: 'resync' }, ...pulse(state)],
                  ]
                : [state, []];
        case 'failed':
            return failed(state, event.trouble, event.detail);
        case 'due':
            return state.phase === 'waiting' ? [{ ...state, phase: 'connecting' }, [{ kind: 'probe' }]] : [state, []];
        case 'beat':
            return state.phase === 'running' && !state.hidden
                ? [state, [{ kind: 'ping' }, ...pulse(state)]]
                : [state, []];
        case 'hidden':
            return [{ ...state, hidden: true }, []];
        case 'shown':
            return shown({ ...state, hidden: false });
    }
}

function failed(state: Connection, trouble: Trouble, detail: string): [Connection, readonly Effect[]] {
    if (state.phase === 'waiting') return [state, []];
    const next = { ...state, phase: 'waiting' as const, trouble, detail, attempt: state.attempt + 1 };
    // A page without a session stays without: only a person can open a new link.
    if (trouble === 'session') return [next, [{ kind: 'close' }]];
    return [next, [{ kind: 'close' }, { kind: 'wait', milliseconds: backOff(next.attempt) }]];
}

/** A page that comes back to the front does not wait for its turn. */
function shown(state: Connection): [Connection, readonly Effect[]] {
    if (state.phase === 'running') return [state, [{ kind: 'ping' }, ...pulse(state)]];
    if (state.phase === 'waiting' && state.trouble !== 'session') {
        return [{ ...state, phase: 'connecting' }, [{ kind: 'close' }, { kind: 'probe' }]];
    }
    return [state, []];
}

function pulse(state: Connection): readonly Effect[] {
    return state.hidden ? [] : [{ kind: 'pulse', milliseconds: HEARTBEAT }];
}
