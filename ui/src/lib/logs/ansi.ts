// Terminal colours as spans of text. Only colours and weights are followed
// (SGR); what would set titles, make links, move or clear is left out.

export interface Style {
    /** 0–255 of the palette, or #rrggbb. */
    readonly colour: number | string | null;
    readonly background: number | string | null;
    readonly bold: boolean;
    readonly dim: boolean;
    readonly italic: boolean;
    readonly underline: boolean;
    readonly inverse: boolean;
}

export interface Span {
    readonly text: string;
    readonly style: Style;
}

export const plain: Style = { colour: null, background: null, bold: false, dim: false, italic: false, underline: false, inverse: false };

const ESCAPE = new RegExp(
    [
        // OSC, DCS, PM, APC, SOS: up to their end, or the end of the line.
        '\\u001b[\\]PX^_][\\s\\S]*?(?:\\u0007|\\u001b\\\\|$)',
        // CSI.
        '(?:\\u001b\\[|\\u009b)([0-?]*)[ -/]*([@-~])',
        // Other sequences of two or three characters.
        '\\u001b[ -/]*[0-~]?',
    ].join('|'),
    'g',
);
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const LONGEST = 8_192;

export function spansOf(line: string): Span[] {
    const text = overwritten(line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line);
    const spans: Span[] = [];
    let style = plain;
    let at = 0;
    const add = (piece: string) => {
        const shown = piece.replace(CONTROL, '');
        if (shown !== '') spans.push({ text: shown, style });
    };
    for (const found of text.matchAll(ESCAPE)) {
        add(text.slice(at, found.index));
        at = found.index + found[0].length;
        if (found[2] === 'm') style = apply(style, found[1] ?? '');
    }
    add(text.slice(at));
    return spans;
}

/** The words alone: what is searched and copied. */
export function wordsOf(line: string): string {
    // Most lines have none of it.
    return /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(line) ? overwritten(line).replace(ESCAPE, '').replace(CONTROL, '') : line;
}

/** A progress bar writes over itself: its last words count. */
function overwritten(line: string): string {
    const end = line.endsWith('\r') ? line.slice(0, -1) : line;
    return end.slice(end.lastIndexOf('\r') + 1);
}

function apply(before: Style, parameters: string): Style {
    const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
    let style = { ...before };
    for (let at = 0; at < codes.length; at += 1) {
        const code = codes[at] ?? 0;
        if (code === 0) style = { ...plain };
        else if (code === 1) style.bold = true;
        else if (code === 2) style.dim = true;
        else if (code === 3) style.italic = true;
        else if (code === 4) style.underline = true;
        else if (code === 7) style.inverse = true;
        else if (code === 22) style.bold = style.dim = false;
        else if (code === 23) style.italic = false;
        else if (code === 24) style.underline = false;
        else if (code === 27) style.inverse = false;
        else if (code === 38 || code === 48) {
            const [colour, used] = extended(codes, at + 1);
            if (code === 38) style.colour = colour;
            else style.background = colour;
            at += used;
        } else if (code === 39) style.colour = null;
        else if (code === 49) style.background = null;
        else if (code >= 30 && code <= 37) style.colour = code - 30;
        else if (code >= 40 && code <= 47) style.background = code - 40;
        else if (code >= 90 && code <= 97) style.colour = code - 82;
        else if (code >= 100 && code <= 107) style.background = code - 92;
    }
    return style;
}

function extended(codes: readonly number[], at: number): [number | string | null, number] {
    if (codes[at] === 5) return [byte(codes[at + 1]), 2];
    if (codes[at] !== 2) return [null, 1];
    const hex = [1, 2, 3].map((offset) => byte(codes[at + offset]).toString(16).padStart(2, '0'));
    return [`#${hex.join('')}`, 4];
}

const byte = (value: number | undefined) => Math.min(255, Math.max(0, Math.trunc(value ?? 0) || 0));

/** A colour of the palette as CSS: the first 16 are the theme's. */
export function cssColour(colour: number | string | null): string | null {
    if (colour === null || typeof colour === 'string') return colour;
    if (colour < 16) return `var(--ansi-${colour})`;
    if (colour >= 232) return grey(8 + (colour - 232) * 10);
    const steps = [0, 95, 135, 175, 215, 255];
    const cube = colour - 16;
    return `rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) => steps[step]).join(' ')})`;
}

const grey = (value: number) => `rgb(${value} ${value} ${value})`;
