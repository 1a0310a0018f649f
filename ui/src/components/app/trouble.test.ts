// @vitest-environment happy-dom
import { clear, show } from '$components/testing/show';
import type { App } from '$lib/app.svelte';
import { fakeHost } from '$lib/host/fake';
import type { EngineState, Host } from '$lib/host/types';
import { flushSync } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import Trouble from './Trouble.svelte';

afterEach(clear);

/** A host that knows of engines, and what was asked of it. */
function hostOf(first: EngineState) {
    let now = first;
    const listeners = new Set<(state: EngineState) => void>();
    const start = vi.fn(() => Promise.resolve());
    const retry = vi.fn(() => Promise.resolve());
    const fake = fakeHost();
    const engine = {
        state: () => now,
        onChange: (listener: (state: EngineState) => void) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        start,
        retry,
    };
    const host: Host = { ...fake, native: { ...fake.native, engine } };
    const tell = (state: EngineState) => {
        now = state;
        for (const listener of listeners) listener(state);
        flushSync();
    };
    return { host, start, retry, tell };
}

const gone = (app: App) => {
    app.engine.connection = { ...app.engine.connection, phase: 'waiting', trouble: 'unreachable' };
};
const stopped = { state: 'unreachable', why: 'not-running', message: '', start: 'asks-for-password' } as const;

it('starts the engine, and says before that it takes a password', async () => {
    const { host, start } = hostOf(stopped);
    const { page } = show(Trouble, { whole: true }, host, gone);
    expect(page.getByRole('heading', { name: 'The engine is not running' })).toBeTruthy();
    expect(document.body.textContent).toContain('takes an administrator’s password');
    page.getByRole('button', { name: 'Start the engine…' }).click();
    await vi.waitFor(() => expect(start).toHaveBeenCalledOnce());
});

it('says why it was not started', async () => {
    const { host, start } = hostOf({ ...stopped, start: 'direct' });
    start.mockRejectedValueOnce(new Error('there is no dhowd'));
    const { page } = show(Trouble, { whole: true }, host, gone);
    page.getByRole('button', { name: 'Start the engine' }).click();
    await vi.waitFor(() => expect(page.getByRole('alert').textContent).toBe('there is no dhowd'));
});

it('counts down to the next start, follows the host, and tries at once when asked to', async () => {
    vi.useFakeTimers();
    try {
        const { host, retry, tell } = hostOf(stopped);
        const { page, app } = show(Trouble, { whole: false }, host, gone);
        const again = vi.spyOn(app.engine, 'retry').mockImplementation(() => undefined);
        tell({ state: 'restarting', attempt: 2, seconds: 8 });
        expect(page.getByRole('alert').textContent).toContain('It is started again in 8 s (try 2).');
        vi.advanceTimersByTime(3_000);
        flushSync();
        expect(page.getByRole('alert').textContent).toContain('in 5 s');
        expect(page.queryByRole('button', { name: /Start/ })).toBeNull();
        page.getByRole('button', { name: 'Try now' }).click();
        expect(retry).toHaveBeenCalledOnce();
        await vi.waitFor(() => expect(again).toHaveBeenCalledOnce());
        tell({ state: 'up', version: '1', api: '1.55' });
        expect(again).toHaveBeenCalledTimes(2);
    } finally {
        vi.useRealTimers();
    }
});

it('is the page’s own words where the host knows nothing of engines', () => {
    const { page } = show(Trouble, { whole: false }, fakeHost(), gone);
    expect(page.getByRole('alert').textContent).toContain('The engine is not reachable');
    expect(page.getAllByRole('button').map((button) => button.textContent?.trim())).toEqual(['Try now']);
});
