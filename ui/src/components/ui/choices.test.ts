// @vitest-environment happy-dom
// What one chooses with: boxes to tick, one of a few, tabs.
import { choose, clear, press, show } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { flushSync } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import CheckField from './CheckField.svelte';
import Checkbox from './Checkbox.svelte';
import Segmented from './Segmented.svelte';
import Select from './Select.svelte';
import Tabs from './Tabs.svelte';

afterEach(clear);

describe('Checkbox', () => {
    it('tells what it is now, and its row nothing of the click', () => {
        const onchange = vi.fn();
        const row = vi.fn();
        window.addEventListener('click', row);
        const { page } = show(Checkbox, { label: 'Select web', onchange }, fakeHost());
        const box = page.getByRole<HTMLInputElement>('checkbox', { name: 'Select web' });
        box.click();
        box.click();
        expect(onchange.mock.calls).toEqual([[true], [false]]);
        expect(row).not.toHaveBeenCalled();
        window.removeEventListener('click', row);
    });

    it('can be neither on nor off, and not to be changed', () => {
        const onchange = vi.fn();
        const { page } = show(Checkbox, { label: 'Select all', mixed: true, disabled: true, onchange }, fakeHost());
        const box = page.getByRole<HTMLInputElement>('checkbox', { name: 'Select all' });
        expect(box.indeterminate).toBe(true);
        box.click();
        expect(onchange).not.toHaveBeenCalled();
    });
});

describe('CheckField', () => {
    it('is ticked by its words too, and warns', () => {
        const onchange = vi.fn();
        const { page } = show(CheckField, { label: 'Remove volumes', hint: 'Unnamed ones', warning: 'Look twice', onchange }, fakeHost());
        const box = page.getByRole<HTMLInputElement>('checkbox', { name: 'Remove volumes' });
        page.getByText('Unnamed ones').click();
        flushSync();
        expect(box.checked).toBe(true);
        expect(onchange).toHaveBeenCalledExactlyOnceWith(true);
        expect(page.getByText('Look twice')).toBeTruthy();
    });
});

describe('Segmented', () => {
    it('has one on, by a name that is read aloud, and tells another', () => {
        const onchange = vi.fn();
        const options = [{ value: 'all', label: 'All', count: 3 }, { value: 'used', label: 'In use' }] as const;
        const { page } = show(Segmented, { label: 'Show', value: 'all', options, onchange }, fakeHost());
        expect(page.getByRole('group', { name: 'Show' })).toBeTruthy();
        const radio = (name: string | RegExp) => page.getByRole<HTMLInputElement>('radio', { name });
        expect([radio(/^All\s*3$/).checked, radio('In use').checked]).toEqual([true, false]);
        radio('In use').click();
        flushSync();
        expect([radio(/^All/).checked, radio('In use').checked]).toEqual([false, true]);
        expect(onchange).toHaveBeenCalledExactlyOnceWith('used');
    });
});

describe('Select', () => {
    it('offers its options by their words, and tells the value', () => {
        const onchange = vi.fn();
        const options = [{ value: 'no', label: 'Never' }, { value: 'always', label: 'Always' }] as const;
        const { page } = show(Select, { label: 'Restart', value: 'no', options, onchange }, fakeHost());
        const select = page.getByRole<HTMLSelectElement>('combobox', { name: 'Restart' });
        expect(page.getAllByRole('option').map((option) => option.textContent)).toEqual(['Never', 'Always']);
        expect(select.value).toBe('no');
        choose(select, 'always');
        expect(onchange).toHaveBeenCalledExactlyOnceWith('always');
    });
});

describe('Tabs', () => {
    const tabs = ['Logs', 'Stats', 'Inspect'].map((label) => ({ id: label.toLowerCase(), label, href: `#/x/${label.toLowerCase()}` }));

    it('marks the current one, which alone is reached by Tab', () => {
        const { page } = show(Tabs, { label: 'Parts', tabs, current: 'stats' }, fakeHost());
        expect(page.getByRole('tablist', { name: 'Parts' })).toBeTruthy();
        expect(page.getByRole('tab', { selected: true }).textContent?.trim()).toBe('Stats');
        expect(page.getAllByRole<HTMLAnchorElement>('tab').map((tab) => [tab.tabIndex, tab.getAttribute('href')])).toEqual([[-1, '#/x/logs'], [0, '#/x/stats'], [-1, '#/x/inspect']]);
    });

    it('goes on and back by arrows, round, and opens what it comes to', () => {
        const { page } = show(Tabs, { label: 'Parts', tabs, current: 'logs' }, fakeHost());
        const opened: string[] = [];
        for (const tab of page.getAllByRole('tab')) tab.addEventListener('click', () => opened.push(tab.textContent?.trim() ?? ''));
        page.getByRole('tab', { name: 'Logs' }).focus();
        expect(press('ArrowRight')).toBe(false);
        press('ArrowLeft');
        press('ArrowLeft');
        expect(opened).toEqual(['Stats', 'Logs', 'Inspect']);
        expect(document.activeElement).toBe(page.getByRole('tab', { name: 'Inspect' }));
        expect(press('ArrowDown')).toBe(true);
    });
});
