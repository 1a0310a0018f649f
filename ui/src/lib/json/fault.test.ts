import fc from 'fast-check';
import { expect, it } from 'vitest';
import { faultOf } from './fault';

const isJson = (text: string) => {
    try {
        JSON.parse(text);
        return true;
    } catch {
        return false;
    }
};

it.each([
    ['{\n  "debug": true,\n}', 'trailing-comma', 2, 16],
    ['{\n  "debug": true\n  "mtu": 1400\n}', 'comma', 3, 3],
    ['{"debug" true}', 'colon', 1, 10],
    ['{debug: true}', 'key', 1, 2],
    ['{\n  "a": "open\n}', 'string', 2, 8],
    ['{"a": "\\x"}', 'escape', 1, 8],
    ['{"a": 01}', 'number', 1, 7],
    ['{"a": yes}', 'value', 1, 7],
    ['{"a": 1', 'end', 1, 8],
    ['{} // why', 'comment', 1, 4],
    ['{}{}', 'rest', 1, 3],
    ['  \n', 'empty', 1, 1],
    ['['.repeat(2_000), 'depth', 1, 502],
] as const)('%j: %s', (text, kind, line, column) => expect(faultOf(text)).toEqual({ kind, line, column }));

it('finds a fault exactly where JSON.parse does not read', () => {
    const json = fc.json({ maxDepth: 4 });
    const letters = fc.constantFrom(...'{}[]",:0-1.e\\tn/ \n');
    const broken = fc.tuple(json, fc.nat(), letters, fc.boolean()).map(([text, at, letter, replace]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + letter + text.slice(place + (replace ? 1 : 0));
    });
    fc.assert(fc.property(fc.oneof(json, broken, fc.string()), (text) => void expect(faultOf(text) === null).toBe(isJson(text))), { numRuns: 3_000 });
});
