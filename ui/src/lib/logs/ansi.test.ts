import { describe, expect, it } from 'vitest';
import { cssColour, plain, spansOf, wordsOf } from './ansi';

it('follows colours and weights', () => {
    expect(spansOf('a\u001b[1;31mb\u001b[0mc')).toEqual([
        { text: 'a', style: plain },
        { text: 'b', style: { ...plain, bold: true, colour: 1 } },
        { text: 'c', style: plain },
    ]);
});

it('knows 256 and all colours', () => {
    const [one, two] = spansOf('\u001b[38;5;208mx\u001b[48;2;1;2;300my');
    expect(one?.style.colour).toBe(208);
    expect(two?.style.background).toBe('#0102ff');
    expect([cssColour(3), cssColour(208), cssColour(255)]).toEqual(['var(--ansi-3)', 'rgb(255 135 0)', 'rgb(238 238 238)']);
});

describe('what a log has no business to do', () => {
    it.each([
        ['sets a title', '\u001b]0;owned\u0007text'],
        ['makes a link', '\u001b]8;;http://evil.test\u001b\\text\u001b]8;;\u001b\\'],
        ['clears the screen', '\u001b[2J\u001b[Htext'],
        ['switches the screen', '\u001b[?1049htext'],
        ['rings', '\u0007text'],
        ['does not end', 'text\u001b]0;never'],
        ['uses the one-byte form', '\u009b31mtext'],
    ])('%s', (_, line) => {
        expect(spansOf(line).map((span) => span.text).join('')).toBe('text');
        expect(wordsOf(line)).toBe('text');
    });

    it('writes markup, which stays text', () => {
        expect(wordsOf('<script>alert(1)</script>')).toBe('<script>alert(1)</script>');
    });
});

it('shows what a progress bar wrote last', () => {
    expect(wordsOf('10%\r50%\r100%\r')).toBe('100%');
});
