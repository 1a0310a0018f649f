import { describe, expect, it } from 'vitest';
import { HEARTBEAT, advance, backOff, initial, type Connection, type Effect, type Event, type EngineFacts } from './connection';

const facts: EngineFacts = { version: '0.1.0', apiVersion: '1.55', name: 'Dhow', platform: 'linux/amd64' };
const gone: Event = { kind: 'failed', trouble: 'unreachable', detail: 'connection refused' };

function after(...events: Event[]): { state: Connection; effects: string[]; last: readonly Effect[] } {
    let state = initial;
    let last: readonly Effect[] = [];
    const effects: string[] = [];
    for (const event of events) {
        [state, last] = advance(state, event);
        effects.push(...last.map((effect) => effect.kind));
    }
    return { state, effects, last };
}

const up: Event[] = [{ kind: 'start' }, { kind: 'answered', facts }, { kind: 'opened' }];

describe('an engine that is there', () => {
    it('is asked, listened to, and only then are lists fetched', () => {
        const { state, effects } = after(...up);
        expect(effects).toEqual(['close', 'probe', 'listen', 'resync', 'pulse']);
        expect(state).toMatchObject({ phase: 'running', facts, trouble: null, attempt: 0 });
    });

    it('is not running before the stream of events is open', () => {
        expect(after({ kind: 'start' }, { kind: 'answered', facts }).state.phase).toBe('opening');
    });

    it('has its pulse felt while somebody looks, and not while nobody does', () => {
        expect(after(...up, { kind: 'beat' }).last).toEqual([{ kind: 'ping' }, { kind: 'pulse', milliseconds: HEARTBEAT }]);
        expect(after(...up, { kind: 'hidden' }, { kind: 'beat' }).last).toEqual([]);
    });

    it('is asked at once when the page comes back to the front', () => {
        expect(after(...up, { kind: 'hidden' }, { kind: 'shown' }).last[0]).toEqual({ kind: 'ping' });
    });
});

describe('an engine that is gone', () => {
    it('is tried again, later each time, up to a bound', () => {
        expect([1, 2, 3, 4, 5, 6, 60].map(backOff)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
        const { state, last } = after(...up, gone);
        expect(state).toMatchObject({ phase: 'waiting', trouble: 'unreachable', attempt: 1, facts });
        expect(last).toEqual([{ kind: 'close' }, { kind: 'wait', milliseconds: 250 }]);
    });

    it('counts attempts until it runs, not until it answers', () => {
        const again: Event[] = [{ kind: 'due' }, { kind: 'answered', facts }, gone];
        expect(after(...up, gone, ...again, ...again).state.attempt).toBe(3);
    });

    it('fails once for all that fails at the same time', () => {
        expect(after(...up, gone, gone).state.attempt).toBe(1);
        expect(after(...up, gone, gone).last).toEqual([]);
    });

    it('is the new engine when one comes back, and lists are fetched anew', () => {
        const newer = { ...facts, version: '0.2.0' };
        const { state, last } = after(...up, gone, { kind: 'due' }, { kind: 'answered', facts: newer }, { kind: 'opened' });
        expect(state.facts?.version).toBe('0.2.0');
        expect(last[0]).toEqual({ kind: 'resync' });
    });

    it('is tried at once when a person asks or looks again', () => {
        expect(after(...up, gone, { kind: 'retry' }).last.at(-1)).toEqual({ kind: 'probe' });
        expect(after(...up, gone, { kind: 'shown' }).last.at(-1)).toEqual({ kind: 'probe' });
    });
});

describe('what comes too late', () => {
    it('changes nothing', () => {
        expect(after(...up, gone, { kind: 'opened' }).state.phase).toBe('waiting');
        expect(after(...up, gone, { kind: 'answered', facts }).state.phase).toBe('waiting');
        expect(after(...up, { kind: 'due' }).last).toEqual([]);
    });
});

it('does not try again without a session', () => {
    const { last } = after({ kind: 'start' }, { kind: 'failed', trouble: 'session', detail: '' });
    expect(last).toEqual([{ kind: 'close' }]);
});
