import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestFor, Pattern } from './pattern';

const find = (query: string, words: string) => Pattern.of(query)?.test(words);

describe('longestFor', () => {
    it.each([
        ['plain words', Infinity],
        ['a\\*b[*+]{2}(GET|POST) x?', Infinity],
        ['foo.*bar', 2000],
        ['foo.*bar.*baz', 158],
        ['(\\d+) ms', 2000],
        ['a{3,}', 2000],
        ['(a{2}){3}', Infinity],
    ])('%s', (query, length) => expect(longestFor(query)).toBe(length));

    it.each(['(x+)+y', '(a|a)*$', '(a|ab)+c', '((ab)?)*', '(a?){30}', '([a-z]+\\.)+com', '(x+x+)+y', '((a|b))*'])('no bound for %s', (query) => {
        expect(longestFor(query)).toBe(0);
    });
});

it('minds case only where the query has capitals, and says what is no pattern', () => {
    expect(find('error', 'ERROR')).toBe(true);
    expect(find('Error', 'ERROR')).toBe(false);
    expect(find('(x+)+Y', 'xxy')).toBe(false);
    expect(find('(x+)+y', 'XXY')).toBe(true);
    expect(Pattern.of('(')).toBeNull();
});

it('refuses what only an engine without bounds could do', () => {
    expect(Pattern.of('(?=(x+)+y)')).toBeNull();
    expect(Pattern.of('(x+)+\\1y')).toBeNull();
    // These have one.
    expect(find('(?<=id=)\\d+', 'id=17')).toBe(true);
    expect(find('(a+)=\\1', 'aa=aa')).toBe(true);
});

it('ends soon, whatever the pattern and the line', () => {
    const line = `${'x'.repeat(60_000)}!`;
    for (const query of ['(x+x+)+y', '(x|x)*y', 'x*x*x*x*y', '.*.*.*=', '(x?){40}x{40}y', '(?!y)x*x*x*y']) {
        const started = performance.now();
        expect(find(query, line), query).toBe(false);
        expect(Pattern.of(query)?.hits(line), query).toEqual([]);
        // No measure of speed: without a bound these take years.
        expect(performance.now() - started, query).toBeLessThan(30_000);
    }
});

it('marks every hit, whichever engine finds it', () => {
    const hits = (query: string, words: string) => Pattern.of(query)?.hits(words);
    expect(hits('o', 'foo boo')).toEqual([[1, 2], [2, 3], [5, 6], [6, 7]]);
    expect(hits('x*', 'abc')).toEqual([]);
    expect(hits('(o|oo)+', 'foo böö boo')).toEqual([[1, 3], [9, 11]]);
    expect(hits('(?:é|e)+!', '🙂 été!é!')).toEqual([[5, 7], [7, 9]]);
    expect(hits('.', 'x'.repeat(500))).toHaveLength(100);
});

it('both engines find the same', () => {
    const word = fc.constantFrom('a', 'b', 'ab', '.', '\\d', '[ab]', 'a*', 'b+', '(a|b)', '(?:ab)?', '^', '$', '\\b', ' ');
    const query = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(''));
    const line = fc.stringMatching(/^[ab1 ]{0,12}$/);
    fc.assert(
        fc.property(query, line, (words, text) => {
            const native = new RegExp(words, 'iu').test(text);
            expect(find(words, text)).toBe(native);
            // A choice that is repeated is the other engine's.
            expect(find(`(?:zz|yy)*(?:${words})`, text)).toBe(native);
        }),
    );
});
