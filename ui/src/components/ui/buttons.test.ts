// @vitest-environment happy-dom
import { clear, show } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { createRawSnippet } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import Button from './Button.svelte';
import Progress from './Progress.svelte';

afterEach(clear);

const words = (text: string) => createRawSnippet(() => ({ render: () => `<span>${text}</span>` }));

it('is a button that sends no form, called by its words', () => {
    const onclick = vi.fn();
    const { page } = show(Button, { onclick, icon: 'play' as const, children: words('Run') }, fakeHost());
    const button = page.getByRole<HTMLButtonElement>('button', { name: 'Run' });
    expect(button.type).toBe('button');
    expect(button.getAttribute('aria-busy')).toBeNull();
    button.click();
    expect(onclick).toHaveBeenCalledOnce();
});

it('does nothing while it is busy, and says so', () => {
    const onclick = vi.fn();
    const { page } = show(Button, { onclick, busy: true, children: words('Run') }, fakeHost());
    const button = page.getByRole<HTMLButtonElement>('button', { name: 'Run' });
    button.click();
    expect(onclick).not.toHaveBeenCalled();
    expect(button.disabled).toBe(true);
    expect(button.getAttribute('aria-busy')).toBe('true');
});

it('tells how far something is, within its bounds', () => {
    const { page } = show(Progress, { label: 'Pulling', value: 0.426 }, fakeHost());
    const bar = page.getByRole('progressbar', { name: 'Pulling' });
    expect([bar.getAttribute('aria-valuemin'), bar.getAttribute('aria-valuenow'), bar.getAttribute('aria-valuemax')]).toEqual(['0', '43', '100']);
    expect(bar.querySelector('i')?.style.transform).toBe('scaleX(0.426)');
});

it.each([
    [1.7, '100'],
    [-1, '0'],
])('takes %s for %s', (value, now) => {
    const { page } = show(Progress, { label: 'Pulling', value }, fakeHost());
    expect(page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe(now);
});

it('tells no number where none is known', () => {
    const { page } = show(Progress, { label: 'Pulling', value: null }, fakeHost());
    expect(page.getByRole('progressbar').hasAttribute('aria-valuenow')).toBe(false);
});
