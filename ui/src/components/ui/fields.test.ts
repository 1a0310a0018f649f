// @vitest-environment happy-dom
// Fields that one types into: their names, what is wrong with them, their keys.
import { clear, press, show, type } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { flushSync } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Combobox from './Combobox.svelte';
import Field from './Field.svelte';
import SearchField from './SearchField.svelte';
import TextArea from './TextArea.svelte';

afterEach(clear);

/** What is read aloud after the name. */
const described = (element: Element) => document.getElementById(element.getAttribute('aria-describedby') ?? '')?.textContent;

describe('Field', () => {
    it('has its label as name and its hint as description, and takes Enter', () => {
        const onenter = vi.fn();
        const { page } = show(Field, { label: 'Name', hint: 'Such as nginx', onenter }, fakeHost());
        const field = page.getByLabelText('Name');
        expect(described(field)).toBe('Such as nginx');
        expect(field.getAttribute('aria-invalid')).toBeNull();
        expect(page.queryByRole('alert')).toBeNull();
        press('a', field);
        expect(onenter).not.toHaveBeenCalled();
        press('Enter', field);
        expect(onenter).toHaveBeenCalledOnce();
    });

    it('says what is wrong instead of the hint', () => {
        const { page } = show(Field, { label: 'Name', hint: 'Such as nginx', error: 'Taken', value: 'x' }, fakeHost());
        const field = page.getByLabelText('Name');
        expect(field.getAttribute('aria-invalid')).toBe('true');
        expect(described(field)).toBe('Taken');
        expect(page.getByRole('alert').textContent).toBe('Taken');
        expect(page.queryByText('Such as nginx')).toBeNull();
    });

    it('leaves Enter to what composes a letter', () => {
        const onenter = vi.fn();
        const { page } = show(Field, { label: 'Name', onenter }, fakeHost());
        page.getByLabelText('Name').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }));
        expect(onenter).not.toHaveBeenCalled();
    });

    it('has the focus from the start with all of it selected, where that is wanted', async () => {
        const { page } = show(Field, { label: 'Name', value: 'web', selected: true }, fakeHost());
        const field = page.getByLabelText<HTMLInputElement>('Name');
        await vi.waitFor(() => expect(document.activeElement).toBe(field));
        expect([field.selectionStart, field.selectionEnd]).toEqual([0, 3]);
    });
});

describe('TextArea', () => {
    it('says what is wrong with it', () => {
        const { page } = show(TextArea, { label: 'Labels', hint: 'One a line', error: 'No name', value: '=x' }, fakeHost());
        const area = page.getByRole<HTMLTextAreaElement>('textbox', { name: 'Labels' });
        expect(area.value).toBe('=x');
        expect(area.getAttribute('aria-invalid')).toBe('true');
        expect(described(area)).toBe('No name');
    });

    it('keeps its name where the label is not shown', () => {
        const { page } = show(TextArea, { label: 'File', shown: false, readonly: true }, fakeHost());
        expect(page.getByRole<HTMLTextAreaElement>('textbox', { name: 'File' }).readOnly).toBe(true);
    });
});

describe('SearchField', () => {
    it('is emptied by Esc, then left, and the key goes no further', () => {
        const outer = vi.fn();
        window.addEventListener('keydown', outer);
        const { page } = show(SearchField, { label: 'Search', clearLabel: 'Clear' }, fakeHost());
        const field = page.getByRole<HTMLInputElement>('textbox', { name: 'Search' });
        field.focus();
        type(field, 'web');
        press('Escape');
        expect(field.value).toBe('');
        expect(document.activeElement).toBe(field);
        press('Escape');
        expect(document.activeElement).not.toBe(field);
        expect(outer).not.toHaveBeenCalled();
        window.removeEventListener('keydown', outer);
    });

    it('has a button to empty it, only while there is something in it', async () => {
        const { page } = show(SearchField, { label: 'Search', clearLabel: 'Clear', hint: '/' }, fakeHost());
        expect(page.queryByRole('button', { name: 'Clear' })).toBeNull();
        const field = page.getByRole<HTMLInputElement>('textbox', { name: 'Search' });
        type(field, 'web');
        page.getByRole('button', { name: 'Clear' }).click();
        await vi.waitFor(() => expect(field.value).toBe(''));
        expect(page.queryByRole('button', { name: 'Clear' })).toBeNull();
    });

    it('hands on other keys', () => {
        const onkeydown = vi.fn();
        const { page } = show(SearchField, { label: 'Search', clearLabel: 'Clear', onkeydown }, fakeHost());
        press('ArrowDown', page.getByRole('textbox'));
        press('Escape', page.getByRole('textbox'));
        expect(onkeydown).toHaveBeenCalledOnce();
    });
});

describe('Combobox', () => {
    const options = [{ value: 'alpine:3', detail: '8 MB' }, { value: 'alpine:edge' }, { value: 'busybox:1' }];

    function open(more: { onenter?: () => void; error?: string } = {}) {
        const { page } = show(Combobox, { label: 'Image', options, optionsLabel: 'Images here', ...more }, fakeHost());
        const field = page.getByRole<HTMLInputElement>('combobox', { name: 'Image' });
        const marked = () => document.getElementById(field.getAttribute('aria-activedescendant') ?? '')?.textContent?.trim();
        return { page, field, marked };
    }

    it('offers while one types, walks round by arrows, and takes by Enter', () => {
        const onenter = vi.fn();
        const { page, field, marked } = open({ onenter });
        expect(field.getAttribute('aria-expanded')).toBe('false');
        type(field, 'a');
        expect(field.getAttribute('aria-expanded')).toBe('true');
        expect(page.getByRole('listbox', { name: 'Images here' }).id).toBe(field.getAttribute('aria-controls'));
        expect(marked()).toBeUndefined();
        press('ArrowUp', field);
        expect(marked()).toBe('busybox:1');
        press('ArrowDown', field);
        expect(marked()).toMatch(/^alpine:3/);
        press('ArrowDown', field);
        expect(page.getByRole('option', { selected: true }).textContent?.trim()).toBe('alpine:edge');
        press('Enter', field);
        expect(field.value).toBe('alpine:edge');
        expect(page.queryByRole('listbox')).toBeNull();
        expect(onenter).not.toHaveBeenCalled();
        press('Enter', field);
        expect(onenter).toHaveBeenCalledOnce();
    });

    it('closes the list by Esc alone and keeps what was typed; what is typed counts', () => {
        const outer = vi.fn();
        window.addEventListener('keydown', outer);
        const { page, field } = open();
        type(field, 'my/own');
        press('Escape', field);
        expect(page.queryByRole('listbox')).toBeNull();
        expect(field.value).toBe('my/own');
        expect(outer).not.toHaveBeenCalled();
        press('Escape', field);
        expect(outer).toHaveBeenCalledOnce();
        window.removeEventListener('keydown', outer);
    });

    it('takes what is pressed, and keeps the focus', () => {
        const { page, field } = open();
        field.focus();
        type(field, 'b');
        const press = new Event('pointerdown', { bubbles: true, cancelable: true });
        page.getByRole('option', { name: /busybox/ }).dispatchEvent(press);
        flushSync();
        expect(field.value).toBe('busybox:1');
        expect(press.defaultPrevented).toBe(true);
    });

    it('says what is wrong', () => {
        const { page, field } = open({ error: 'That is no name' });
        expect(page.getByRole('alert').textContent).toBe('That is no name');
        expect(described(field)).toBe('That is no name');
    });
});
