// @vitest-environment happy-dom
// What lies over the page: dialogs and menus. Focus comes to them, and goes
// back to where it was.
import { clear, press, show } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { createRawSnippet } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import Dialog from './Dialog.svelte';
import Menu, { type MenuItem } from './Menu.svelte';

let opener: HTMLButtonElement;

beforeEach(() => {
    opener = document.createElement('button');
    opener.textContent = 'Opens it';
    document.body.append(opener);
    opener.focus();
});
afterEach(clear);

describe('Dialog', () => {
    const children = createRawSnippet(() => ({ render: () => '<p>Its <button>inside</button></p>' }));
    const actions = createRawSnippet(() => ({ render: () => '<button>Do it</button>' }));

    it('is modal, and called by its title', () => {
        const showModal = vi.spyOn(HTMLDialogElement.prototype, 'showModal');
        const { page } = show(Dialog, { title: 'Remove web?', onclose: () => undefined, children, actions }, fakeHost());
        expect(showModal).toHaveBeenCalledOnce();
        expect(page.getByRole<HTMLDialogElement>('dialog', { name: 'Remove web?' }).open).toBe(true);
        expect(page.getByRole('heading', { name: 'Remove web?' })).toBeTruthy();
        expect(page.getByRole('button', { name: 'Do it' })).toBeTruthy();
    });

    it('asks to be closed by Esc, and never closes by itself', () => {
        const onclose = vi.fn();
        const { page } = show(Dialog, { title: 'Rename', onclose, children }, fakeHost());
        const dialog = page.getByRole<HTMLDialogElement>('dialog');
        // What a browser makes of Esc.
        const cancel = new Event('cancel', { cancelable: true });
        dialog.dispatchEvent(cancel);
        expect(onclose).toHaveBeenCalledOnce();
        expect(cancel.defaultPrevented).toBe(true);
    });

    it('asks to be closed by a press beside it, not by one in it', () => {
        const onclose = vi.fn();
        const { page } = show(Dialog, { title: 'Rename', onclose, children }, fakeHost());
        page.getByRole('button', { name: 'inside' }).dispatchEvent(new MouseEvent('mousedown', { bubbles: true }));
        expect(onclose).not.toHaveBeenCalled();
        page.getByRole('dialog').dispatchEvent(new MouseEvent('mousedown', { bubbles: true }));
        expect(onclose).toHaveBeenCalledOnce();
    });

    it('gives the focus back', async () => {
        const { page, close } = show(Dialog, { title: 'Rename', onclose: () => undefined, children }, fakeHost());
        page.getByRole('button', { name: 'inside' }).focus();
        expect(document.activeElement).not.toBe(opener);
        await close();
        expect(document.activeElement).toBe(opener);
    });
});

describe('Menu', () => {
    // This page has no popovers; that a menu is one is for the browser's tests.
    const popover = vi.fn();
    beforeEach(() => {
        popover.mockClear();
        HTMLElement.prototype.showPopover = popover;
    });

    function open() {
        const ran: string[] = [];
        const item = (label: string, more: Partial<MenuItem> = {}): MenuItem => ({ id: label, label, run: () => ran.push(label), ...more });
        const onclose = vi.fn();
        const items = [item('Start', { disabled: true }), item('Stop'), item('Rename…', { keys: 'F2' }), item('Remove…', { apart: true, danger: true })];
        const shown = show(Menu, { label: 'More for web', items, at: { x: 10, y: 10 }, onclose }, fakeHost());
        return { ...shown, onclose, ran, at: () => document.activeElement?.querySelector('.cut')?.textContent };
    }

    it('begins with the first that can be chosen; arrows, Home and End walk, round and past what cannot', () => {
        const { page, at } = open();
        expect(page.getByRole('menu', { name: 'More for web' })).toBeTruthy();
        expect(popover).toHaveBeenCalledOnce();
        expect(at()).toBe('Stop');
        const walked = ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowUp', 'Home', 'End'].map((key) => {
            expect(press(key)).toBe(false);
            return at();
        });
        expect(walked).toEqual(['Rename…', 'Remove…', 'Stop', 'Remove…', 'Stop', 'Remove…']);
    });

    it('goes by first letters, one after another', () => {
        const { at } = open();
        press('r');
        expect(at()).toBe('Rename…');
        press('r');
        expect(at()).toBe('Remove…');
        press('x');
        expect(at()).toBe('Remove…');
    });

    it('closes before it does what was chosen', () => {
        const { page, onclose, ran } = open();
        onclose.mockImplementation(() => expect(ran).toEqual([]));
        page.getByRole('menuitem', { name: /^Remove/ }).click();
        expect(ran).toEqual(['Remove…']);
        expect(onclose).toHaveBeenCalled();
    });

    it.each(['Escape', 'Tab'])('closes by %s, and nothing behind it hears of that', (key) => {
        const outer = vi.fn();
        window.addEventListener('keydown', outer);
        const { onclose, ran } = open();
        press(key);
        expect(onclose).toHaveBeenCalledOnce();
        expect(ran).toEqual([]);
        expect(outer).not.toHaveBeenCalled();
        window.removeEventListener('keydown', outer);
    });

    it('gives the focus back', async () => {
        const { close } = open();
        expect(document.activeElement).not.toBe(opener);
        await close();
        expect(document.activeElement).toBe(opener);
    });
});
