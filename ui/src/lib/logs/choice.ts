// Which lines are chosen: where the keyboard is, and the lines from where it
// began to there. Numbers of lines, so that it holds while others come and go.
import type { LogBuffer } from './buffer';

export interface LogRange {
    readonly cursor: number;
    readonly origin: number;
    readonly from: number;
    readonly to: number;
}

export function stepped(before: LogRange | null, number: number, extend: boolean): LogRange {
    return extend ? extended(before, number) : { cursor: number, origin: number, from: number, to: number };
}

export function extended(before: LogRange | null, number: number): LogRange {
    const origin = before?.origin ?? number;
    return { cursor: number, origin, from: Math.min(origin, number), to: Math.max(origin, number) };
}

/** The chosen lines of those that are shown. */
export function chosenNumbers({ from, to }: LogRange, filtered: readonly number[] | null, buffer: LogBuffer): number[] {
    if (filtered !== null) return filtered.filter((number) => number >= from && number <= to);
    const first = Math.max(from, buffer.first);
    const last = Math.min(to, buffer.end - 1);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

/** How many they are, without making a list of a million. */
export function chosenCount(range: LogRange, filtered: readonly number[] | null, buffer: LogBuffer): number {
    if (filtered !== null) return chosenNumbers(range, filtered, buffer).length;
    return Math.max(0, Math.min(range.to, buffer.end - 1) - Math.max(range.from, buffer.first) + 1);
}
