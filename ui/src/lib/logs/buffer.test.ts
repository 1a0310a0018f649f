import { expect, it } from 'vitest';
import { LogBuffer } from './buffer';

const bytes = (text: string) => new TextEncoder().encode(text);
const all = (buffer: LogBuffer) => Array.from({ length: buffer.count }, (_, index) => buffer.line(buffer.first + index)?.text);

it('puts lines together that came in pieces, each stream for itself', () => {
    const buffer = new LogBuffer();
    buffer.push('stdout', bytes('one\ntw'));
    buffer.push('stderr', bytes('bad\n'));
    buffer.push('stdout', bytes('o\r\n\nlast'));
    buffer.finish();
    expect(all(buffer)).toEqual(['one', 'bad', 'two', '', 'last']);
    expect(buffer.line(1)?.output).toBe('stderr');
});

it('takes the time off', () => {
    const buffer = new LogBuffer();
    buffer.push('stdout', bytes('2026-01-02T03:04:05.000000006Z 2026 was good\n'));
    expect(buffer.line(0)).toEqual({ time: '2026-01-02T03:04:05.000000006Z', text: '2026 was good', output: 'stdout' });
});

it('does not cut letters that came in two chunks', () => {
    const buffer = new LogBuffer();
    const [a, b] = [bytes('gr\u00fcn\n').slice(0, 3), bytes('gr\u00fcn\n').slice(3)];
    buffer.push('stdout', a);
    buffer.push('stdout', b);
    expect(all(buffer)).toEqual(['gr\u00fcn']);
});

it('drops the oldest when there are too many, and numbers stay', () => {
    const buffer = new LogBuffer({ bytes: 1 << 20, lines: 20_000 });
    for (let number = 0; number < 100_000; number += 1) buffer.push('stdout', bytes(`line ${number}\n`));
    expect(buffer.end).toBe(100_000);
    expect(buffer.count).toBeLessThanOrEqual(20_000);
    expect(buffer.bytes).toBeLessThanOrEqual(1 << 20);
    expect(buffer.line(buffer.first)?.text).toBe(`line ${buffer.first}`);
    expect(buffer.line(99_999)?.text).toBe('line 99999');
    expect(buffer.line(buffer.first - 1)).toBeNull();
    expect(buffer.dropped).toBe(buffer.first);
    buffer.clear();
    expect([buffer.dropped, buffer.count, buffer.first]).toEqual([0, 0, 100_000]);
});

it('is not filled by a line that never ends', () => {
    const buffer = new LogBuffer({ bytes: 1 << 20, lines: 1000 });
    for (let round = 0; round < 100; round += 1) buffer.push('stdout', new Uint8Array(50_000).fill(65));
    expect(buffer.bytes).toBeLessThanOrEqual(1 << 20);
});

it('forgets half a line that will come again', () => {
    const buffer = new LogBuffer();
    buffer.push('stdout', bytes('one\ntw'));
    buffer.forgetRest();
    buffer.push('stdout', bytes('two\n'));
    expect(all(buffer)).toEqual(['one', 'two']);
});
