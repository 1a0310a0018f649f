import { expect, it } from 'vitest';
import { micros, Runs } from './runs';

const at = (seconds: number, fraction = '') => `2026-01-02T03:04:${String(seconds).padStart(2, '0')}${fraction}Z`;

it('compares times exactly', () => {
    expect(micros(at(5, '.000001999'))).toBe(micros(at(5)) + 1);
    expect(micros(at(5, '.1'))).toBe(micros(at(5)) + 100_000);
    expect([micros(''), micros('yesterday'), micros('0001-01-01T00:00:00')].every(Number.isNaN)).toBe(true);
});

it('finds the first line of a run by the end of the run before', () => {
    const runs = new Runs();
    runs.noteStart(micros(at(1)));
    runs.noteEnd(micros(at(10)));
    // The program wrote before the engine noted that it runs.
    runs.noteStart(micros(at(12, '.5')));
    expect(runs.between(at(9), at(12, '.4'))).toBe(micros(at(12, '.5')));
    expect(runs.between(at(12, '.4'), at(13))).toBeNull();
    expect(runs.between(at(2), at(9))).toBeNull();
});

it('finds it without an end too, and none where lines have no time', () => {
    const runs = new Runs();
    runs.noteStart(micros(at(20)));
    expect(runs.between(at(3), at(20, '.01'))).toBe(micros(at(20)));
    expect(runs.between('', at(21))).toBeNull();
});

it('takes what is told twice for one start, and drops what makes no sense', () => {
    const runs = new Runs();
    for (const time of [micros(at(5)), micros(at(5, '.02')), Number.NaN, -1, 0]) runs.noteStart(time);
    expect(runs.starts).toEqual([micros(at(5))]);
});
