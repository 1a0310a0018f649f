import { expect, it } from 'vitest';
import { diskSize, memorySize, percent, shortId, span, timeOf } from './units';

it('prints disk in thousands and memory in 1024s', () => {
    expect([0, 999, 1000, 1_234_567, 12_345_678, 999_950_000].map(diskSize)).toEqual(['0 B', '999 B', '1 kB', '1.23 MB', '12.3 MB', '1 GB']);
    expect([1023, 1024, 134_217_728].map(memorySize)).toEqual(['1023 B', '1 KiB', '128 MiB']);
});

it('prints a span as its biggest unit', () => {
    expect([-5, 59, 61, 7_200, 90_000, 40_000_000].map(span)).toEqual(['0 s', '59 s', '1 min', '2 h', '1 d', '1 y']);
});

it('knows that year 1 is no time', () => {
    expect(timeOf('0001-01-01T00:00:00Z')).toBeNull();
    expect(timeOf('2026-01-01T00:00:00.5Z')).toBe(1_767_225_600_500);
});

it('shortens', () => {
    expect(percent(0.04)).toBe('0.0%');
    expect(percent(231.4)).toBe('231%');
    expect(shortId('sha256:0123456789abcdef')).toBe('0123456789ab');
});
