import { expect, it } from 'vitest';
import { LogBuffer } from './buffer';
import { shownLine } from './row';
import { Pattern } from './pattern';

function shown(line: string, query = '', parsed = true) {
    const buffer = new LogBuffer({ bytes: 1 << 20, lines: 1_000 });
    buffer.push('stdout', new TextEncoder().encode(`${line}\n`));
    const row = shownLine(buffer, 0, { pattern: query === '' ? null : Pattern.of(query), parsed });
    return { level: row?.level, tag: row?.tag, pieces: row?.pieces.map(({ text, kind }) => `${kind}:${text}`) };
}

it('shows JSON as a message and fields', () => {
    expect(shown('{"level":"warn","msg":"slow","ms":412}')).toEqual({ level: 'warn', tag: 'warn', pieces: ['text:slow', 'name:  ms=', 'value:412'] });
});

it('shows JSON as it came when asked to, and then needs no tag', () => {
    expect(shown('{"level":"warn"}', '', false)).toEqual({ level: 'warn', tag: null, pieces: ['text:{"level":"warn"}'] });
});

it('marks what is found across pieces', () => {
    expect(shown('{"msg":"slow","ms":412}', 'ow  ms=4').pieces).toEqual(['text:sl', 'hit:ow', 'hit:  ms=', 'hit:4', 'value:12']);
    expect(shown('\u001b[31mred\u001b[0m line', 'd l').pieces).toEqual(['text:re', 'hit:d l', 'text:ine']);
});

it('keeps markup and controls out', () => {
    expect(shown('{"msg":"<img src=x onerror=alert(1)>\\u001b[2J","<b>":"\\u202e"}').pieces).toEqual(['text:<img src=x onerror=alert(1)>', 'name:  <b>=', 'value:\u202e']);
});
