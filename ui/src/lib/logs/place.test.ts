import { expect, it } from 'vitest';
import { anchorOf, around, topFor } from './place';

const pane = { height: 500, rowHeight: 18, count: 10_000 };
const end = 10_000 * 18 - 500;

it.each([0, 1, 17, 18, 90_000, end])('puts lines of one height where scrolling puts them, at %d', (top) => {
    const { index, part, offset } = anchorOf({ ...pane, top });
    // The line that this puts at the pane's top edge.
    expect(index + part - offset / 18).toBeCloseTo(top / 18, 6);
});

it('shows the first and the last line whole, however high lines are', () => {
    expect(anchorOf({ ...pane, top: 0 })).toEqual({ index: 0, part: 0, offset: 0 });
    expect(anchorOf({ ...pane, top: end })).toEqual({ index: 9_999, part: 1, offset: 500 });
    expect(anchorOf({ ...pane, top: end + 50 }).offset).toBe(500);
});

it('draws what fits around, and no more', () => {
    const { from, to } = around(anchorOf({ ...pane, top: 90_000 }), { ...pane, top: 90_000 }, 5);
    expect(to - from).toBeLessThanOrEqual(2 * (28 + 5) + 1);
});

it('scrolls to a line', () => {
    const top = topFor(5_000, { ...pane, top: 0 });
    expect(anchorOf({ ...pane, top }).index).toBe(5_000);
});
