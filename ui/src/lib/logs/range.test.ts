import { expect, it } from 'vitest';
import { betweenOf, queryOf } from './range';

const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const second = now / 1000;

it('asks the engine for what was chosen', () => {
    expect(queryOf({ kind: 'newest' }, now)).toEqual({ follow: true, tail: 10_000 });
    expect(queryOf({ kind: 'all' }, now)).toEqual({ follow: true, tail: 'all' });
    expect(queryOf({ kind: 'last', seconds: 300 }, now)).toEqual({ follow: true, since: `${second - 300}.000` });
    expect(queryOf({ kind: 'between', since: now - 5_500, until: now - 1_000 }, now)).toEqual({ follow: false, since: `${second - 5.5}00`, until: `${second - 1}.000` });
    expect(queryOf({ kind: 'between', since: null, until: now + 1_000 }, now)).toEqual({ follow: true, tail: 'all', until: `${second + 1}.000` });
});

it('goes on after the last line, within what was chosen', () => {
    expect(queryOf({ kind: 'newest' }, now, '17.000000001')).toEqual({ follow: true, since: '17.000000001' });
    expect(queryOf({ kind: 'between', since: 1, until: now + 1_000 }, now, '17.5')).toEqual({ follow: true, since: '17.5', until: `${second + 1}.000` });
});

it('takes what is typed, and says what is wrong with it', () => {
    expect(betweenOf('2026-01-02T10:30', '')).toEqual({ kind: 'between', since: new Date(2026, 0, 2, 10, 30).getTime(), until: null });
    expect(betweenOf('2026-01-02T10:30', '2026-01-02T10:30')).toBe('backwards');
    expect(betweenOf('', '')).toBe('nothing');
    expect(betweenOf('soon', '')).toBe('nothing');
});
