import { expect, it } from 'vitest';
import { sparkline } from './sparkline';

const shape = { width: 30, height: 12, floor: 1, capacity: 4 };

it('draws the newest value at the right edge', () => {
    expect(sparkline([0, 2], shape)).toEqual({ line: 'M20 11L30 1', area: 'M20 11L30 1V12H20Z' });
});

it('draws nothing of one value, and no more than it has room for', () => {
    expect(sparkline([1], shape).line).toBe('');
    expect(sparkline([9, 9, 0, 0, 0, 2], shape).line.split('L')).toHaveLength(4);
});

it('keeps noise below the floor flat', () => {
    expect(sparkline([0, 0.1], shape).line).toBe('M20 11L30 10');
});
