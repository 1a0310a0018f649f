// The newest lines of a log, as the bytes they came in.
//
// Lines lie one after another in blocks; text is made only of those in sight.
// When there are too many bytes or lines the oldest block goes, so that no
// flood grows it without bound. Lines are numbered from the first that ever
// came: a number names the same line for as long as it is here.
import type { Output } from '$lib/api/stream';

export interface LogLine {
    /** As the engine has written it, or ''. */
    readonly time: string;
    readonly text: string;
    readonly output: Output;
}

export interface Bounds {
    readonly bytes: number;
    readonly lines: number;
}

/** Browsers draw no higher than some 33 million pixels: with lines of 18 that are 1.8 million. */
export const BOUNDS: Bounds = { bytes: 96 * 1024 * 1024, lines: 1_500_000 };

const BLOCK = 256 * 1024;
const LINES = 8 * 1024;
const NEWLINE = 10;
/** A line that never ends is cut into pieces of this size. */
const LONGEST = 64 * 1024;

interface Block {
    readonly bytes: Uint8Array;
    /** Where each line ends. */
    readonly ends: Uint32Array;
    readonly outputs: Uint8Array;
    used: number;
    lines: number;
    /** The number of its first line. */
    readonly first: number;
}

export class LogBuffer {
    readonly #bounds: Bounds;
    readonly #decoder = new TextDecoder();
    #blocks: Block[] = [];
    #bytes = 0;
    #next = 0;
    #dropped = 0;
    #rest: Record<Output, Uint8Array | null> = { stdout: null, stderr: null };

    constructor(bounds: Bounds = BOUNDS) {
        this.#bounds = bounds;
    }

    /** The number of the oldest line that is here. */
    get first(): number {
        return this.#blocks[0]?.first ?? this.#next;
    }

    /** The number of the line that comes next. */
    get end(): number {
        return this.#next;
    }

    get count(): number {
        return this.#next - this.first;
    }

    /** How many have gone to make room. */
    get dropped(): number {
        return this.#dropped;
    }

    get bytes(): number {
        return this.#bytes;
    }

    clear(): void {
        this.#blocks = [];
        this.#bytes = 0;
        this.#dropped = 0;
        this.#rest = { stdout: null, stderr: null };
    }

    push(output: Output, chunk: Uint8Array): void {
        let start = 0;
        for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
            this.#line(output, chunk.subarray(start, at));
            start = at + 1;
        }
        if (start === chunk.length) return;
        const rest = joined(this.#rest[output], chunk.subarray(start));
        this.#rest[output] = rest;
        if (rest.length > LONGEST) this.#line(output, new Uint8Array(0));
    }

    /** The stream has ended: what has no end of line is a line too. */
    finish(): void {
        for (const output of ['stdout', 'stderr'] as const) {
            if (this.#rest[output] !== null) this.#line(output, new Uint8Array(0));
        }
    }

    /** The stream was left in the middle of a line: it comes again, whole. */
    forgetRest(): void {
        this.#rest = { stdout: null, stderr: null };
    }

    line(number: number): LogLine | null {
        const block = this.#blockOf(number);
        if (block === null) return null;
        const index = number - block.first;
        const start = index === 0 ? 0 : (block.ends[index - 1] ?? 0);
        const text = this.#decoder.decode(block.bytes.subarray(start, block.ends[index]));
        return { ...split(text), output: block.outputs[index] === 1 ? 'stderr' : 'stdout' };
    }

    #line(output: Output, bytes: Uint8Array): void {
        const whole = joined(this.#rest[output], bytes);
        this.#rest[output] = null;
        for (let at = 0; at === 0 || at < whole.length; at += LONGEST) {
            this.#add(output, whole.subarray(at, at + LONGEST));
        }
    }

    #add(output: Output, bytes: Uint8Array): void {
        const length = bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length;
        let block = this.#blocks.at(-1);
        if (block === undefined || block.used + length > BLOCK || block.lines === LINES) {
            block = { bytes: new Uint8Array(BLOCK), ends: new Uint32Array(LINES), outputs: new Uint8Array(LINES), used: 0, lines: 0, first: this.#next };
            this.#blocks.push(block);
            this.#bytes += BLOCK;
        }
        block.bytes.set(bytes.subarray(0, length), block.used);
        block.used += length;
        block.ends[block.lines] = block.used;
        block.outputs[block.lines] = output === 'stderr' ? 1 : 0;
        block.lines += 1;
        this.#next += 1;
        while (this.#blocks.length > 1 && (this.#bytes > this.#bounds.bytes || this.count > this.#bounds.lines)) {
            this.#dropped += this.#blocks.shift()?.lines ?? 0;
            this.#bytes -= BLOCK;
        }
    }

    #blockOf(number: number): Block | null {
        if (number < this.first || number >= this.#next) return null;
        let [low, high] = [0, this.#blocks.length - 1];
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if ((this.#blocks[middle]?.first ?? Infinity) <= number) low = middle;
            else high = middle - 1;
        }
        return this.#blocks[low] ?? null;
    }
}

function joined(a: Uint8Array | null, b: Uint8Array): Uint8Array {
    // A copy in any case: chunks belong to whoever reads them.
    const whole = new Uint8Array((a?.length ?? 0) + b.length);
    if (a !== null) whole.set(a);
    whole.set(b, a?.length ?? 0);
    return whole;
}

/** The engine puts the time before each line when asked to. */
function split(text: string): { time: string; text: string } {
    const found = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) /.exec(text);
    return found === null ? { time: '', text } : { time: found[1] ?? '', text: text.slice(found[0].length) };
}
