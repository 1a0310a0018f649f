import { expect, it } from 'vitest';
import { keep, moveBy, moveTo, nothing, toggle } from './selection';

const keys = ['a', 'b', 'c', 'd'];

it('begins at the edge that one comes from, and stays within the list', () => {
    expect(moveBy(nothing, keys, 1, false).cursor).toBe('a');
    expect(moveBy(nothing, keys, -1, false).cursor).toBe('d');
    expect(moveBy({ ...nothing, cursor: 'd' }, keys, 5, false).cursor).toBe('d');
    expect(moveBy(nothing, [], 1, false).cursor).toBeNull();
});

it('stretches from where it began, both ways', () => {
    const at = moveTo(nothing, keys, 'c', false);
    expect([...moveTo(at, keys, 'd', true).chosen]).toEqual(['c', 'd']);
    expect([...moveTo(moveTo(at, keys, 'd', true), keys, 'b', true).chosen]).toEqual(['b', 'c']);
});

it('chooses all of a group, or none of it when all are', () => {
    const some = toggle({ ...nothing, chosen: new Set(['a']) }, ['a', 'b']);
    expect([...some.chosen]).toEqual(['a', 'b']);
    expect([...toggle(some, ['a', 'b']).chosen]).toEqual([]);
});

it('forgets what is gone; the keyboard stays in its place', () => {
    const at = { cursor: 'b', anchor: 'b', chosen: new Set(['b', 'c']) };
    const after = keep(at, keys, ['a', 'c', 'd']);
    expect(after.cursor).toBe('c');
    expect([...after.chosen]).toEqual(['c']);
    expect(keep(at, keys, []).cursor).toBeNull();
});
