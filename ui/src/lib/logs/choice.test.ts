import { expect, it } from 'vitest';
import { LogBuffer } from './buffer';
import { chosenCount, chosenNumbers, extended, stepped } from './choice';
import { collect } from './collect';

const buffer = new LogBuffer({ bytes: 1 << 20, lines: 1_000 });
for (let at = 0; at < 10; at += 1) buffer.push('stdout', new TextEncoder().encode(`2026-01-02T03:04:0${at}Z \u001b[31mline\u001b[0m ${at}\n`));

it('goes from where it began to where the keyboard is, both ways', () => {
    const start = stepped(null, 5, false);
    expect(extended(start, 8)).toMatchObject({ cursor: 8, from: 5, to: 8 });
    expect(extended(extended(start, 8), 3)).toMatchObject({ cursor: 3, from: 3, to: 5 });
    expect(stepped(extended(start, 8), 7, false)).toMatchObject({ from: 7, to: 7 });
});

it('is of lines that are shown and still here', () => {
    const range = extended(stepped(null, 7, false), 40);
    expect(chosenNumbers(range, null, buffer)).toEqual([7, 8, 9]);
    expect(chosenCount(range, null, buffer)).toBe(3);
    expect(chosenNumbers(range, [1, 8], buffer)).toEqual([8]);
    expect(chosenCount(range, [1, 8], buffer)).toBe(1);
});

it('becomes text, with times or without, and without colours', async () => {
    const now = () => Promise.resolve();
    expect(await collect(buffer, [1, 99, 2], false, now)).toEqual(['line 1\nline 2\n']);
    expect(await collect(buffer, [1], true, now)).toEqual(['2026-01-02T03:04:01Z line 1\n']);
});

it('gives way while it goes through many lines', async () => {
    const many = new LogBuffer();
    for (let at = 0; at < 100_000; at += 1) many.push('stdout', new TextEncoder().encode(`${at}\n`));
    let ways = 0;
    const text = (await collect(many, null, false, async () => void (ways += 1))).join('');
    expect(text.split('\n')).toHaveLength(100_001);
    expect(ways).toBeGreaterThan(3);
});
