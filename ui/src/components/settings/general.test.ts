// @vitest-environment happy-dom
import { clear, show, type } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import type { Capability, Host } from '$lib/host/types';
import { flushSync } from 'svelte';
import { afterEach, expect, it } from 'vitest';
import GeneralPart from './GeneralPart.svelte';

afterEach(clear);

function appHost() {
    const texts = new Map([
        ['app.start-at-login', 'false'],
        ['app.close-to-tray', 'true'],
        ['app.on-quit', 'ask'],
        ['notify.crashed', 'true'],
        ['engine.start', 'automatic'],
        ['engine.host', ''],
    ]);
    const listeners = new Set<(key: string) => void>();
    const fake = fakeHost();
    const settings = {
        get: (key: string) => texts.get(key) ?? null,
        set: (key: string, value: string) => void texts.set(key, value),
        onChange: (listener: (key: string) => void) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
    };
    const host: Host = { ...fake, native: { ...fake.native, settings, capabilities: new Set<Capability>(['settings', 'engine', 'autostart', 'notify']) } };
    const edit = (key: string, value: string) => {
        texts.set(key, value);
        for (const listener of listeners) listener(key);
        flushSync();
    };
    return { host, texts, edit };
}

it('sets what the app has settings for, and follows the file', () => {
    const { host, texts, edit } = appHost();
    const { page } = show(GeneralPart, {}, host);
    const login = page.getByRole<HTMLInputElement>('checkbox', { name: /^Start at login/ });
    login.click();
    flushSync();
    expect(texts.get('app.start-at-login')).toBe('true');
    edit('app.start-at-login', 'false');
    expect(login.checked).toBe(false);
    const quit = page.getByRole<HTMLSelectElement>('combobox', { name: 'When Dhow quits' });
    edit('app.on-quit', 'stop');
    expect(quit.selectedOptions[0]?.textContent).toBe('Stop them');
});

it('sets an address when its field is left, and none that is wrong', () => {
    const { host, texts } = appHost();
    const { page } = show(GeneralPart, {}, host);
    const address = page.getByLabelText('Engine’s address');
    type(address, 'dev.example');
    address.dispatchEvent(new Event('focusout', { bubbles: true }));
    expect(page.getByRole('alert').textContent).toContain('begins with unix://');
    expect(texts.get('engine.host')).toBe('');
    type(address, 'ssh://dev.example');
    expect(texts.get('engine.host')).toBe('');
    address.dispatchEvent(new Event('focusout', { bubbles: true }));
    expect(texts.get('engine.host')).toBe('ssh://dev.example');
});

it('offers nothing of the app’s to a page in a browser', () => {
    const { page } = show(GeneralPart, {}, fakeHost());
    expect(page.queryAllByRole('checkbox')).toEqual([]);
    expect(document.body.textContent).toContain('dhow dashboard');
});
