// Looks for a pattern in a log, a bit at a time, and goes on as lines come.
import { wordsOf } from './ansi';
import type { LogBuffer } from './buffer';

/** Lines between two looks at the clock. */
const STRIDE = 256;

/** A regular expression; all lower case means that case does not matter. null where it is none. */
export function patternOf(query: string): RegExp | null {
    try {
        return new RegExp(query, query === query.toLowerCase() ? 'iu' : 'u');
    } catch {
        return null;
    }
}

export class LogSearch {
    readonly pattern: RegExp;
    /** Numbers of lines that match, oldest first. */
    matches: number[] = [];
    #next: number;

    constructor(pattern: RegExp, buffer: LogBuffer) {
        this.pattern = pattern;
        this.#next = buffer.first;
    }

    /** Whether all that has come was looked at. */
    finished(buffer: LogBuffer): boolean {
        return this.#next >= buffer.end;
    }

    /** Looks on until the time is over. */
    scan(buffer: LogBuffer, timeIsOver: () => boolean): void {
        this.#forget(buffer.first);
        while (this.#next < buffer.end) {
            const until = Math.min(buffer.end, this.#next + STRIDE);
            for (; this.#next < until; this.#next += 1) {
                const line = buffer.line(this.#next);
                if (line !== null && this.pattern.test(wordsOf(line.text))) this.matches.push(this.#next);
            }
            if (timeIsOver()) return;
        }
    }

    #forget(first: number): void {
        this.#next = Math.max(this.#next, first);
        if ((this.matches[0] ?? first) >= first) return;
        const kept = this.matches.findIndex((number) => number >= first);
        this.matches = kept === -1 ? [] : this.matches.slice(kept);
    }
}

/** Where in a line the pattern is found: [from, to), not overlapping. */
export function hits(pattern: RegExp, text: string): [number, number][] {
    const found: [number, number][] = [];
    for (const match of text.matchAll(new RegExp(pattern.source, `${pattern.flags}g`))) {
        if (match[0] !== '') found.push([match.index, match.index + match[0].length]);
        if (found.length === 100) break;
    }
    return found;
}
