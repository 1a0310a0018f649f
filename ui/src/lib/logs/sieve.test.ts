import { expect, it } from 'vitest';
import { LogBuffer } from './buffer';
import { Pattern } from './pattern';
import { levelAt, Sieve, type Wanted } from './sieve';

const never = () => false;
const wanted = (query: string, more: Partial<Wanted> = {}): Wanted => ({ pattern: Pattern.of(query), threshold: 'all', parsed: true, ...more });

function filled(lines: number): LogBuffer {
    const buffer = new LogBuffer({ bytes: 1 << 20, lines: 20_000 });
    for (let number = 0; number < lines; number += 1) buffer.push('stdout', new TextEncoder().encode(`\u001b[31mline\u001b[0m ${number}\n`));
    return buffer;
}

it('finds words across colours, and lines that come later', () => {
    const buffer = filled(30);
    const search = new Sieve(wanted('line \\d5$'), buffer);
    search.scan(buffer, never);
    buffer.push('stdout', new TextEncoder().encode('LINE 95\n'));
    search.scan(buffer, never);
    expect(search.matches).toEqual([15, 25, 30]);
});

it('stops when its time is over, and goes on where it stopped', () => {
    const buffer = filled(2_000);
    const search = new Sieve(wanted('line'), buffer);
    search.scan(buffer, () => true);
    expect(search.matches.length).toBeLessThan(2_000);
    expect(search.finished(buffer)).toBe(false);
    search.scan(buffer, never);
    expect(search.matches).toHaveLength(2_000);
});

it('forgets lines that have gone', () => {
    const buffer = filled(100);
    const search = new Sieve(wanted('line 1'), buffer);
    search.scan(buffer, never);
    for (let number = 0; number < 60_000; number += 1) buffer.push('stdout', new TextEncoder().encode('other\n'));
    search.scan(buffer, never);
    expect(search.matches).toEqual([]);
});

const STACK = [
    'INFO  ready',
    'ERROR failed to connect',
    '    at connect (net.js:1)',
    '    at retry (net.js:2)',
    'no level here',
    '{"level":"warn","msg":"slow","ms":412}',
    'DEBUG done',
];

function of(lines: readonly string[]): LogBuffer {
    const buffer = new LogBuffer({ bytes: 1 << 20, lines: 20_000 });
    for (const line of lines) buffer.push('stdout', new TextEncoder().encode(`${line}\n`));
    return buffer;
}

it.each([
    ['error', [1, 2, 3]],
    ['warn', [1, 2, 3, 5]],
    ['info', [0, 1, 2, 3, 4, 5]],
    ['debug', [0, 1, 2, 3, 4, 5, 6]],
] as const)('keeps what is at least %s, with the stack that goes on with it', (threshold, kept) => {
    const buffer = of(STACK);
    const sieve = new Sieve({ pattern: null, threshold, parsed: true }, buffer);
    sieve.scan(buffer, never);
    expect(sieve.passing).toEqual(kept);
});

it('finds only among what is grave enough', () => {
    const buffer = of(STACK);
    const sieve = new Sieve(wanted('o', { threshold: 'error' }), buffer);
    sieve.scan(buffer, never);
    expect(sieve.matches).toEqual([1, 2]);
});

it('searches JSON as it is shown, or as it came', () => {
    const buffer = of(STACK);
    const matches = (query: string, parsed: boolean) => {
        const sieve = new Sieve(wanted(query, { parsed }), buffer);
        sieve.scan(buffer, never);
        return sieve.matches;
    };
    expect(matches('ms=412', true)).toEqual([5]);
    expect(matches('ms=412', false)).toEqual([]);
    expect(matches('"ms":412', false)).toEqual([5]);
});

it('gives each line the level that the scan gives it', () => {
    const buffer = of(STACK);
    expect(STACK.map((_, number) => levelAt(buffer, number))).toEqual(['info', 'error', 'error', 'error', null, 'warn', 'debug']);
});
