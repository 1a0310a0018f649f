// Where a text stops being JSON, by line and column: what JSON.parse says of it
// differs between browsers, and some say no place at all.

export interface JsonFault {
    readonly kind: 'empty' | 'end' | 'value' | 'string' | 'escape' | 'number' | 'comma' | 'trailing-comma' | 'colon' | 'key' | 'comment' | 'rest' | 'depth';
    /** From 1. */
    readonly line: number;
    readonly column: number;
}

/** As deep as nobody writes by hand; deeper would end in the stack's own error. */
const DEEPEST = 500;
const SPACE = /[ \t\n\r]/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

class Stop {
    readonly kind: JsonFault['kind'];
    readonly at: number;
    constructor(kind: JsonFault['kind'], at: number) {
        this.kind = kind;
        this.at = at;
    }
}

/** The first fault of a text, or null where it is JSON. */
export function faultOf(text: string): JsonFault | null {
    try {
        const end = space(text, 0);
        if (end === text.length) throw new Stop('empty', 0);
        const after = space(text, value(text, end, 0));
        if (after < text.length) throw new Stop(text[after] === '/' ? 'comment' : 'rest', after);
        return null;
    } catch (error) {
        if (!(error instanceof Stop)) throw error;
        const before = text.slice(0, error.at).split('\n');
        return { kind: error.kind, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    }
}

function space(text: string, from: number): number {
    let at = from;
    while (at < text.length && SPACE.test(text[at] as string)) at += 1;
    return at;
}

function value(text: string, at: number, depth: number): number {
    if (depth > DEEPEST) throw new Stop('depth', at);
    const letter = text[at];
    if (letter === undefined) throw new Stop('end', at);
    if (letter === '{' || letter === '[') return inside(text, at, depth);
    if (letter === '"') return string(text, at);
    if (letter === '-' || (letter >= '0' && letter <= '9')) return number(text, at);
    for (const word of ['true', 'false', 'null']) if (text.startsWith(word, at)) return at + word.length;
    throw new Stop(letter === '/' ? 'comment' : 'value', at);
}

function inside(text: string, open: number, depth: number): number {
    const isObject = text[open] === '{';
    const close = isObject ? '}' : ']';
    let at = space(text, open + 1);
    if (text[at] === close) return at + 1;
    for (;;) {
        if (isObject) at = key(text, at);
        at = space(text, value(text, at, depth + 1));
        const letter = text[at];
        if (letter === close) return at + 1;
        if (letter === undefined) throw new Stop('end', at);
        if (letter !== ',') throw new Stop(letter === '/' ? 'comment' : 'comma', at);
        const comma = at;
        at = space(text, at + 1);
        if (text[at] === close) throw new Stop('trailing-comma', comma);
    }
}

function key(text: string, from: number): number {
    const letter = text[from];
    if (letter === undefined) throw new Stop('end', from);
    if (letter !== '"') throw new Stop(letter === '/' ? 'comment' : 'key', from);
    const at = space(text, string(text, from));
    if (text[at] === undefined) throw new Stop('end', at);
    if (text[at] !== ':') throw new Stop('colon', at);
    return space(text, at + 1);
}

function string(text: string, open: number): number {
    let at = open + 1;
    for (;;) {
        const letter = text[at];
        // A string ends on its line: that it is not closed is told where it begins.
        if (letter === undefined || letter === '\n') throw new Stop('string', open);
        if (letter === '"') return at + 1;
        if (letter < ' ') throw new Stop('string', at);
        if (letter === '\\') {
            ESCAPE.lastIndex = at;
            const found = ESCAPE.exec(text);
            if (found === null) throw new Stop('escape', at);
            at += found[0].length;
        } else at += 1;
    }
}

function number(text: string, at: number): number {
    NUMBER.lastIndex = at;
    const found = NUMBER.exec(text);
    const end = at + (found?.[0].length ?? 0);
    if (found === null || /[\d.eE+-]/.test(text[end] ?? ' ')) throw new Stop('number', at);
    return end;
}
