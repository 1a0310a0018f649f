import { describe, expect, it } from 'vitest';
import { entryOf, Ring } from './events';

const event = (Type: string, Action: string, ID: string, Attributes: Record<string, string> = {}) =>
    entryOf({ Type, Action, Actor: { ID, Attributes }, time: 5, timeNano: 5_250_000_000 }, 1);

describe('entryOf', () => {
    it('names things as people do', () => {
        expect(event('container', 'start', 'f'.repeat(64), { name: 'web', image: 'nginx' })).toMatchObject({ name: 'web', detail: 'nginx', tone: 'good', at: 5250 });
        expect(event('image', 'untag', `sha256:${'a'.repeat(64)}`, { name: `sha256:${'a'.repeat(64)}` }).name).toBe('aaaaaaaaaaaa');
        expect(event('volume', 'create', 'data', { driver: 'local' })).toMatchObject({ name: 'data', detail: 'driver=local' });
        expect(event('daemon', 'reload', 'x').kind).toBe('engine');
    });

    it('tells a crash from an end', () => {
        expect(event('container', 'die', 'x', { exitCode: '1' }).tone).toBe('bad');
        expect(event('container', 'die', 'x', { exitCode: '0' }).tone).toBe('neutral');
    });

    it('knows what the engine does to watch, and takes the command out of the action', () => {
        expect(event('container', 'exec_start: sh -c true', 'x')).toMatchObject({ background: true, action: 'exec_start', detail: 'sh -c true' });
        expect(event('container', 'health_status: healthy', 'x')).toMatchObject({ background: false, tone: 'good' });
    });

    it('calls containers by their names', () => {
        const id = 'c'.repeat(64);
        const raw = { Type: 'network', Action: 'connect', Actor: { ID: 'n', Attributes: { name: 'bridge', container: id } }, time: 1, timeNano: 0 };
        expect(entryOf(raw, 1, (one) => (one === id ? 'web' : undefined)).detail).toBe('container=web');
        expect(entryOf(raw, 1).detail).toBe('container=cccccccccccc');
    });

    it('leaves labels out', () => {
        expect(event('container', 'start', 'x', { name: 'a', 'com.docker.compose.project': 'p' }).detail).toBe('');
    });
});

describe('Ring', () => {
    it('keeps the newest, and counts what it let go', () => {
        const ring = new Ring<number>(3);
        for (let number = 1; number <= 10; number += 1) ring.push(number);
        expect(ring.newest()).toEqual([10, 9, 8]);
        expect(ring.dropped).toBe(7);
    });
});
