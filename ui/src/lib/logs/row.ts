// A line as it is drawn: pieces of text, each in a style, a mark or a field.
import { spansOf, wordsOf, type Style } from './ansi';
import type { LogBuffer } from './buffer';
import type { Level } from './level';
import { recordOf } from './record';
import type { Pattern } from './pattern';
import { levelAt } from './sieve';

export interface Piece {
    readonly text: string;
    readonly kind: 'text' | 'hit' | 'name' | 'value';
    readonly style: Style | null;
}

export interface ShownLine {
    readonly number: number;
    readonly time: string;
    readonly output: 'stdout' | 'stderr';
    readonly level: Level | null;
    /** JSON has no word of its level in what is shown: it is put before. */
    readonly tag: Level | null;
    readonly pieces: readonly Piece[];
}

export interface Look {
    readonly pattern: Pattern | null;
    readonly parsed: boolean;
}

/** Longer ones are shown to here; copied and saved they are whole. */
const LONGEST = 8_192;
/** More fields than fit any window; the pane below has them all. */
const FIELDS = 24;

export function shownLine(buffer: LogBuffer, number: number, { pattern, parsed }: Look): ShownLine | null {
    const line = buffer.line(number);
    if (line === null) return null;
    const level = levelAt(buffer, number);
    const words = wordsOf(line.text.slice(0, LONGEST));
    const record = parsed && words.trimStart().startsWith('{') ? recordOf(wordsOf(line.text)) : null;
    const json = record?.format === 'json' ? record : null;
    let pieces: Piece[];
    if (json !== null) {
        pieces = json.message === '' ? [] : [text(json.message)];
        for (const { name, value } of json.fields.slice(0, FIELDS)) {
            pieces.push({ text: `${pieces.length === 0 ? '' : '  '}${name}=`, kind: 'name', style: null }, { text: value, kind: 'value', style: null });
        }
        if (json.fields.length > FIELDS) pieces.push({ text: '  …', kind: 'name', style: null });
        if (pattern !== null) pieces = marked(pieces, pattern);
    } else if (pattern !== null && pattern.test(words)) {
        pieces = marked([text(words)], pattern);
    } else {
        pieces = spansOf(line.text).map((span) => ({ text: span.text, kind: 'text', style: span.style }));
    }
    return { number, time: line.time, output: line.output, level, tag: json === null ? null : level, pieces };
}

const text = (words: string): Piece => ({ text: words, kind: 'text', style: null });

/** Marks what is found in pieces put together, whichever it lies in. What is marked has no colours: it has to be seen. */
function marked(pieces: readonly Piece[], pattern: Pattern): Piece[] {
    const found = pattern.hits(pieces.map((piece) => piece.text).join(''));
    const cut: Piece[] = [];
    let start = 0;
    for (const piece of pieces) {
        const end = start + piece.text.length;
        let at = start;
        const add = (to: number, kind: Piece['kind']) => {
            if (to > at) cut.push({ ...piece, text: piece.text.slice(at - start, to - start), kind });
            at = Math.max(at, to);
        };
        for (const [from, to] of found) {
            if (to <= start || from >= end) continue;
            add(Math.max(from, start), piece.kind);
            add(Math.min(to, end), 'hit');
        }
        add(end, piece.kind);
        start = end;
    }
    return cut;
}
