import { afterEach, expect, it, vi } from 'vitest';
import type { App } from '$lib/app.svelte';
import type { Engine, EngineEvent } from '$lib/resources/engine.svelte';
import { Details } from './details.svelte';
import type { Inspected } from './removal';

afterEach(() => void vi.useRealTimers());

it('learns of an end that came while it asked for the first time', async () => {
    vi.useFakeTimers();
    const state = (running: boolean) => ({ Id: 'abc', State: { Running: running, Status: running ? 'running' : 'exited', ExitCode: running ? 0 : 3 } }) as Inspected;
    const answers: ((value: Inspected) => void)[] = [];
    let tell: (event: EngineEvent) => void = () => undefined;
    const app = {
        engine: {
            hidden: false,
            running: true,
            connection: { facts: null },
            subscribe: ({ resync, event }: Parameters<Engine['subscribe']>[0]) => {
                tell = event ?? tell;
                resync?.();
                return () => undefined;
            },
        },
        // The list has not heard of it either.
        containers: { find: () => undefined, inspect: () => new Promise<Inspected>((done) => answers.push(done)) },
        client: { stream: () => Promise.reject(new Error('no log')) },
    } as unknown as App;

    const details = new Details(app, 'victim');
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toHaveLength(1);
    tell({ Type: 'container', Action: 'die', Actor: { ID: 'abc' } } as EngineEvent);
    answers[0]?.(state(true));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(answers).toHaveLength(2);
    answers[1]?.(state(false));
    await vi.advanceTimersByTimeAsync(0);
    expect(details.value?.State?.ExitCode).toBe(3);
    expect(details.explanation?.cause).toBe('failed');

    // Now that it is known, others do not concern it.
    tell({ Type: 'container', Action: 'die', Actor: { ID: 'other' } } as EngineEvent);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(answers).toHaveLength(2);
    details.close();
});
