// A regular expression that a person typed, and that must not freeze the page.
//
// The browser's own engine goes back and tries again: some patterns take it
// longer than anybody lives, on a line that a container chose. How long it can
// take at most is seen from the pattern and the line; where that is too long,
// an engine looks that reads every letter once (RE2's), and is slower on all
// the others.
import { RE2JS } from 're2js';

/** Steps that a line may take the browser's engine: some milliseconds. */
const STEPS = 4e6;
/** Hits that are marked in one line. */
const MARKED = 100;
/** More repetitions than this count as any number. */
const FEW = 8;

export type Hit = [from: number, to: number];

export class Pattern {
    readonly #native: RegExp;
    readonly #linear: RE2JS | null;
    /** Longer lines are not the browser's. */
    readonly #longest: number;

    private constructor(native: RegExp, linear: RE2JS | null, longest: number) {
        this.#native = native;
        this.#linear = linear;
        this.#longest = longest;
    }

    /** All lower case means that case does not matter. null where it is no pattern, or none that can be looked for in time. */
    static of(query: string): Pattern | null {
        const anyCase = query === query.toLowerCase();
        try {
            const native = new RegExp(query, anyCase ? 'iu' : 'u');
            const longest = longestFor(query);
            const linear = longest === Infinity ? null : linearOf(query, anyCase);
            return longest === 0 && linear === null ? null : new Pattern(native, linear, longest);
        } catch {
            return null;
        }
    }

    test(words: string): boolean {
        if (words.length <= this.#longest) return this.#native.test(words);
        if (this.#linear !== null) return this.#linear.matcher(words).find();
        // It looks around or back, which only the browser's engine can: at the beginning of a line as long as this.
        return this.#native.test(words.slice(0, this.#longest));
    }

    /** Where it is found, not overlapping. */
    hits(words: string): Hit[] {
        const found: Hit[] = [];
        for (const [from, to] of this.#all(words)) {
            if (to > from) found.push([from, to]);
            if (found.length === MARKED) break;
        }
        return found;
    }

    *#all(words: string): Generator<Hit> {
        if (words.length > this.#longest && this.#linear !== null) {
            const matcher = this.#linear.matcher(words);
            while (matcher.find()) yield [matcher.start(), matcher.end()];
            return;
        }
        const { source, flags } = this.#native;
        const short = this.#longest === Infinity ? words : words.slice(0, this.#longest);
        for (const match of short.matchAll(new RegExp(source, `${flags}g`))) yield [match.index, match.index + match[0].length];
    }
}

function linearOf(query: string, anyCase: boolean): RE2JS | null {
    try {
        return RE2JS.compile(query, anyCase ? RE2JS.CASE_INSENSITIVE : 0);
    } catch {
        return null;
    }
}

/**
 * The longest line that the browser's engine gets: with k repetitions it may
 * begin anywhere and end each anywhere, which is the length to the power of
 * k + 1. Where something repeats that itself repeats or has a choice, there is
 * no bound: 0.
 */
export function longestFor(query: string): number {
    let repeats = 0;
    let inClass = false;
    /** Whether what is open, or was closed last, can match one text in several ways. */
    const open: boolean[] = [false];
    let closed = false;
    const repeated = (many: boolean) => {
        if (many && closed) return true;
        if (many) repeats += 1;
        open[open.length - 1] = true;
        return false;
    };
    for (let at = 0; at < query.length; at += 1) {
        const letter = query[at];
        const before = closed;
        closed = false;
        if (letter === '\\') at += 1;
        else if (inClass) inClass = letter !== ']';
        else if (letter === '[') inClass = true;
        else if (letter === '(') open.push(false);
        else if (letter === ')') {
            closed = open.pop() ?? false;
            if (open.length === 0) open.push(false);
            if (closed) open[open.length - 1] = true;
        } else if (letter === '|') open[open.length - 1] = true;
        else if (letter === '*' || letter === '+' || letter === '{') {
            closed = before;
            const counted = letter === '{' ? /^\{(\d+)(,(\d*))?\}/.exec(query.slice(at)) : null;
            const most = counted === null ? Infinity : counted[2] === undefined ? Number(counted[1]) : counted[3] === '' ? Infinity : Number(counted[3]);
            if (repeated(most > FEW)) return 0;
            closed = false;
            if (counted !== null) at += counted[0].length - 1;
        } else if (letter === '?' && query[at - 1] !== '(') repeated(false);
    }
    return repeats === 0 ? Infinity : Math.floor(STEPS ** (1 / (repeats + 1)));
}
