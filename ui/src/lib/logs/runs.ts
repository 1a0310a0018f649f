// Where in a log a container was started again. The log itself does not say:
// the engine's events and what it knows of the container do.

/** Microseconds since 1970 of one of the engine's times: exact, and comparable. NaN where it is none. */
export function micros(time: string): number {
    const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(time);
    if (found === null) return Number.NaN;
    return Date.parse(`${found[1]}${found[3]}`) * 1000 + Number((found[2] ?? '').padEnd(9, '0').slice(0, 6));
}

/** Events and what is inspected tell of one moment a little apart. */
const SAME = 60_000;
/** A program may have written before the engine has noted that it runs. */
const EARLY = 100_000;
const MOST = 1_000;

export class Runs {
    readonly #starts: number[] = [];
    readonly #ends: number[] = [];

    get starts(): readonly number[] {
        return this.#starts;
    }

    noteStart(at: number): void {
        insert(this.#starts, at);
    }

    noteEnd(at: number): void {
        insert(this.#ends, at);
    }

    /** When the run began whose first line `after` is, where `before` is of an earlier one. */
    between(before: string, after: string): number | null {
        const [from, to] = [micros(before), micros(after)];
        if (Number.isNaN(from) || Number.isNaN(to)) return null;
        for (let index = this.#starts.length - 1; index >= 0; index -= 1) {
            const start = this.#starts[index] as number;
            const edge = this.#edge(start, this.#starts[index - 1] ?? -Infinity);
            if (from <= edge && edge < to) return start;
            if (edge < from) return null;
        }
        return null;
    }

    /** The end of the run before is the surer mark: nothing of it was written later. */
    #edge(start: number, startBefore: number): number {
        const end = this.#ends.findLast((candidate) => candidate <= start);
        return end !== undefined && end > startBefore ? end : start - EARLY;
    }
}

function insert(times: number[], at: number): void {
    if (!Number.isFinite(at) || at <= 0 || times.some((known) => Math.abs(known - at) < SAME)) return;
    times.push(at);
    times.sort((a, b) => a - b);
    if (times.length > MOST) times.shift();
}
