import { expect, it } from 'vitest';
import { outlookOf } from './outlook';

const seen = { trouble: 'unreachable', address: 'unix:///run/dhow.sock', host: null, seconds: 0 } as const;

it('tells what the page sees where the host knows nothing', () => {
    expect(outlookOf(seen)).toMatchObject({ title: 'The engine is not reachable', start: null, retry: true });
    expect(outlookOf({ ...seen, trouble: 'session' }).retry).toBe(false);
    expect(outlookOf({ ...seen, trouble: 'frozen', host: { state: 'up', version: '1', api: '1' } }).title).toBe('The engine does not answer');
});

it('offers to start one, and says when that takes a password', () => {
    const host = { state: 'unreachable', why: 'not-running', message: '', start: 'asks-for-password' } as const;
    expect(outlookOf({ ...seen, host })).toMatchObject({ title: 'The engine is not running', start: 'password' });
    expect(outlookOf({ ...seen, host }).detail).toContain('password');
    expect(outlookOf({ ...seen, host: { ...host, start: 'direct' } })).toMatchObject({ start: 'plain' });
    expect(outlookOf({ ...seen, host: { ...host, start: null, message: 'the daemon.json is no JSON' } })).toMatchObject({ start: null, detail: 'The daemon.json is no JSON.' });
});

it('counts down to the next try, which need not be waited for', () => {
    const outlook = outlookOf({ ...seen, host: { state: 'restarting', attempt: 3, seconds: 8 }, seconds: 5 });
    expect(outlook).toMatchObject({ busy: true, retry: true });
    expect(outlook.detail).toBe('It is started again in 5 s (try 3).');
});
