// Goes through a log, a bit at a time, for what is grave enough and for what a
// pattern finds, and goes on as lines come.
import { wordsOf } from './ansi';
import type { LogBuffer, LogLine } from './buffer';
import type { Pattern } from './pattern';
import { goesOn, reaches, type Level, type Threshold } from './level';
import { levelOfWords, lineOf, recordOf } from './record';
import type { Output } from '$lib/api/stream';

/** Lines between two looks at the clock. */
const STRIDE = 256;
/** So many lines up a stack's frames look for what they belong to. */
const UP = 64;

export interface Wanted {
    readonly pattern: Pattern | null;
    readonly threshold: Threshold;
    /** JSON lines are searched as they are shown: a message and fields. */
    readonly parsed: boolean;
}

/** The words of a line as they are shown. */
export function shownWords(line: LogLine, parsed: boolean): string {
    const words = wordsOf(line.text);
    return parsed && words.trimStart().startsWith('{') ? lineOf(recordOf(words)) : words;
}

export class Sieve {
    readonly wanted: Wanted;
    /** Numbers of lines that are grave enough, oldest first. Where all are, none are kept. */
    passing: number[] = [];
    /** Those of them in which the pattern is found. */
    matches: number[] = [];
    #next: number;
    readonly #last: Record<Output, Level | null> = { stdout: null, stderr: null };

    constructor(wanted: Wanted, buffer: LogBuffer) {
        this.wanted = wanted;
        this.#next = buffer.first;
    }

    /** Whether all that has come was looked at. */
    finished(buffer: LogBuffer): boolean {
        return this.#next >= buffer.end;
    }

    /** Looks on until the time is over. */
    scan(buffer: LogBuffer, timeIsOver: () => boolean): void {
        this.#next = Math.max(this.#next, buffer.first);
        this.passing = since(this.passing, buffer.first);
        this.matches = since(this.matches, buffer.first);
        while (this.#next < buffer.end) {
            const until = Math.min(buffer.end, this.#next + STRIDE);
            for (; this.#next < until; this.#next += 1) this.#look(buffer.line(this.#next));
            if (timeIsOver()) return;
        }
    }

    #look(line: LogLine | null): void {
        if (line === null) return;
        const { pattern, threshold, parsed } = this.wanted;
        if (threshold !== 'all') {
            const words = wordsOf(line.text);
            const own = levelOfWords(words);
            const level = own === null && goesOn(words) ? this.#last[line.output] : own;
            this.#last[line.output] = level;
            if (!reaches(level, threshold)) return;
            this.passing.push(this.#next);
        }
        if (pattern !== null && pattern.test(shownWords(line, parsed))) this.matches.push(this.#next);
    }
}

function since(numbers: number[], first: number): number[] {
    if ((numbers[0] ?? first) >= first) return numbers;
    const kept = numbers.findIndex((number) => number >= first);
    return kept === -1 ? [] : numbers.slice(kept);
}

/** The level of one line: its own, or of what it goes on with. */
export function levelAt(buffer: LogBuffer, number: number): Level | null {
    const line = buffer.line(number);
    if (line === null) return null;
    const words = wordsOf(line.text);
    const own = levelOfWords(words);
    if (own !== null || !goesOn(words)) return own;
    for (let above = number - 1; above >= Math.max(buffer.first, number - UP); above -= 1) {
        const candidate = buffer.line(above);
        if (candidate === null || candidate.output !== line.output) continue;
        const before = wordsOf(candidate.text);
        const level = levelOfWords(before);
        if (level !== null || !goesOn(before)) return level;
    }
    return null;
}
