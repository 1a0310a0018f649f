// @vitest-environment happy-dom
import { clear, show } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { flushSync } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import Toasts from './Toasts.svelte';

afterEach(async () => {
    vi.useRealTimers();
    await clear();
});

it('is read aloud from the start, and takes what it says as text', () => {
    const { page, app } = show(Toasts, {}, fakeHost());
    const region = page.getByRole('list', { name: 'Messages' });
    expect(region.getAttribute('aria-live')).toBe('polite');
    app.toasts.fail('web did not start', '<img src=x>');
    flushSync();
    expect(region.textContent).toContain('web did not start');
    expect(region.querySelector('p')?.textContent).toBe('<img src=x>');
    expect(region.querySelector('img')).toBeNull();
});

it('drops what is good news by itself; a failure stays until it is dismissed', () => {
    vi.useFakeTimers();
    const { page, app } = show(Toasts, {}, fakeHost());
    app.toasts.say('Volume data created');
    app.toasts.fail('web was not removed', 'it is in use');
    flushSync();
    expect(page.getAllByRole('listitem')).toHaveLength(2);
    vi.advanceTimersByTime(60_000);
    flushSync();
    expect(page.getAllByRole('listitem').map((item) => item.querySelector('strong')?.textContent)).toEqual(['web was not removed']);
    page.getByRole('button', { name: 'Dismiss' }).click();
    flushSync();
    expect(page.queryAllByRole('listitem')).toEqual([]);
});

it('says the same thing once, and keeps four', () => {
    const { page, app } = show(Toasts, {}, fakeHost());
    for (const name of ['a', 'b', 'c', 'd', 'e', 'e']) app.toasts.fail(name, 'no');
    flushSync();
    expect(page.getAllByRole('listitem').map((item) => item.querySelector('strong')?.textContent)).toEqual(['b', 'c', 'd', 'e']);
});
