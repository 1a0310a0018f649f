import { expect, it } from 'vitest';
import { LogBuffer } from './buffer';
import { hits, LogSearch, patternOf } from './search';

const never = () => false;

function filled(lines: number): LogBuffer {
    const buffer = new LogBuffer({ bytes: 1 << 20, lines: 20_000 });
    for (let number = 0; number < lines; number += 1) buffer.push('stdout', new TextEncoder().encode(`\u001b[31mline\u001b[0m ${number}\n`));
    return buffer;
}

it('finds words across colours, and lines that come later', () => {
    const buffer = filled(30);
    const search = new LogSearch(patternOf('line \\d5$') as RegExp, buffer);
    search.scan(buffer, never);
    buffer.push('stdout', new TextEncoder().encode('LINE 95\n'));
    search.scan(buffer, never);
    expect(search.matches).toEqual([15, 25, 30]);
});

it('stops when its time is over, and goes on where it stopped', () => {
    const buffer = filled(2_000);
    const search = new LogSearch(patternOf('line') as RegExp, buffer);
    search.scan(buffer, () => true);
    expect(search.matches.length).toBeLessThan(2_000);
    expect(search.finished(buffer)).toBe(false);
    search.scan(buffer, never);
    expect(search.matches).toHaveLength(2_000);
});

it('forgets lines that have gone', () => {
    const buffer = filled(100);
    const search = new LogSearch(patternOf('line 1') as RegExp, buffer);
    search.scan(buffer, never);
    for (let number = 0; number < 60_000; number += 1) buffer.push('stdout', new TextEncoder().encode('other\n'));
    search.scan(buffer, never);
    expect(search.matches).toEqual([]);
});

it('minds case only where the query has capitals, and says what is no pattern', () => {
    expect(patternOf('error')?.test('ERROR')).toBe(true);
    expect(patternOf('Error')?.test('ERROR')).toBe(false);
    expect(patternOf('(')).toBeNull();
});

it('marks every hit', () => {
    expect(hits(/o/u, 'foo boo')).toEqual([[1, 2], [2, 3], [5, 6], [6, 7]]);
    expect(hits(/x*/u, 'abc')).toEqual([]);
});
