// A container's state as it is shown, and what can be done in it.

export type State = 'running' | 'paused' | 'restarting' | 'created' | 'exited' | 'removing' | 'dead';
export type Health = 'none' | 'starting' | 'healthy' | 'unhealthy';
export type Action = 'start' | 'stop' | 'restart' | 'pause' | 'unpause' | 'kill' | 'remove' | 'rename';
export type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'info';

const STATES: ReadonlySet<string> = new Set(['running', 'paused', 'restarting', 'created', 'exited', 'removing', 'dead']);

/** What this UI does not know yet is shown as stopped: nothing is offered that needs it to run. */
export function stateOf(text: string | undefined): State {
    return STATES.has(text ?? '') ? (text as State) : 'exited';
}

/** Health as the list has it: in the words of the status, in all versions of the API. */
export function healthOf(status: string): Health {
    if (status.includes('(healthy)')) return 'healthy';
    if (status.includes('(unhealthy)')) return 'unhealthy';
    return status.includes('(health: starting)') ? 'starting' : 'none';
}

/** The exit code that a status line tells: "Exited (137) 2 minutes ago". */
export function exitCodeOf(status: string): number | null {
    const found = /^(?:Exited|Restarting) \((\d+)\)/.exec(status);
    return found === null ? null : Number(found[1]);
}

/** 0, and those that docker stop leaves behind, are no crash. */
export function isCrash(state: State, exitCode: number | null): boolean {
    return (state === 'exited' || state === 'restarting') && exitCode !== null && ![0, 130, 143].includes(exitCode);
}

export function toneOf(state: State, health: Health, exitCode: number | null): Tone {
    if (state === 'dead') return 'bad';
    if (state === 'running') return health === 'unhealthy' ? 'bad' : health === 'starting' ? 'info' : 'good';
    if (state === 'paused' || state === 'restarting') return 'warn';
    return isCrash(state, exitCode) ? 'bad' : 'neutral';
}

const ALLOWED: Record<State, readonly Action[]> = {
    running: ['stop', 'restart', 'pause', 'kill', 'remove', 'rename'],
    paused: ['unpause', 'stop', 'restart', 'kill', 'remove', 'rename'],
    restarting: ['stop', 'restart', 'kill', 'remove', 'rename'],
    created: ['start', 'restart', 'remove', 'rename'],
    exited: ['start', 'restart', 'remove', 'rename'],
    removing: [],
    dead: ['remove'],
};

export const allowed = (state: State, action: Action): boolean => ALLOWED[state].includes(action);
