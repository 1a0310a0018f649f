import type { Capability } from '$lib/host/types';
import { expect, it } from 'vitest';
import { isFirstStart, stepsOf } from './steps';

const line = { bundled: '/opt/dhow/dhow', found: '', ours: false, user: { path: '/home/me/.local/bin/dhow', inPath: true }, system: { path: '/usr/local/bin/dhow', needsPassword: true } };

it('has the steps that this host has', () => {
    expect(stepsOf({ running: false, commandLine: null, welcome: '' })).toEqual([
        { name: 'engine', done: false, open: true },
        { name: 'container', done: false, open: false },
    ]);
    expect(stepsOf({ running: true, commandLine: { ...line, ours: true }, welcome: 'http://127.0.0.1:1' }).map(({ name, done }) => [name, done])).toEqual([
        ['engine', true],
        ['command', true],
        ['container', true],
    ]);
    expect(stepsOf({ running: true, commandLine: { ...line, bundled: '' }, welcome: '' })).toHaveLength(2);
});

it('comes by itself once, in the app, where no address was asked for', () => {
    const native = (capabilities: Capability[], kept: string | null) => ({ capabilities: new Set(capabilities), settings: { get: () => kept, set: () => undefined } });
    expect(isFirstStart(native(['settings'], null), '')).toBe(true);
    expect(isFirstStart(native(['settings'], null), '#/')).toBe(true);
    expect(isFirstStart(native(['settings'], null), '#/images')).toBe(false);
    expect(isFirstStart(native(['settings'], 'yes'), '')).toBe(false);
    expect(isFirstStart(native([], null), '')).toBe(false);
});
