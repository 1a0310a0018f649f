import { expect, it } from 'vitest';
import { inSight } from './virtual';

const view = { height: 100, rowHeight: 20, count: 1000, spare: 2 };

it('is what fits and a little more', () => {
    expect(inSight({ ...view, top: 0 })).toEqual({ from: 0, to: 7 });
    expect(inSight({ ...view, top: 400 })).toEqual({ from: 18, to: 27 });
});

it('stays within the list when that has shrunk below the place', () => {
    expect(inSight({ ...view, count: 3, top: 5000 })).toEqual({ from: 0, to: 3 });
    expect(inSight({ ...view, count: 0, top: 5000 })).toEqual({ from: 0, to: 0 });
});
