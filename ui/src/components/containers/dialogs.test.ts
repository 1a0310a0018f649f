// @vitest-environment happy-dom
// What a person is told before containers go or are renamed, and what is then
// asked of the engine.
import { clear, press, show, type } from '$components/testing/show';
import { rowOf } from '$lib/containers/row';
import { fakeHost } from '$lib/host/fake';
import { within } from '@testing-library/dom';
import { flushSync } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import RemoveDialog from './RemoveDialog.svelte';
import RenameDialog from './RenameDialog.svelte';

afterEach(clear);

const summary = (id: string, name: string, state: 'running' | 'exited') => ({ Id: id, Names: [`/${name}`], State: state, Status: state === 'running' ? 'Up 2 minutes' : 'Exited (0) 1 minute ago', Image: 'shop/api:1' });
const [web, job] = [summary('aa', 'web', 'running'), summary('bb', 'job', 'exited')];
const ANONYMOUS = 'a'.repeat(64);

describe('Remove containers', () => {
    function open(which: ReturnType<typeof summary>[]) {
        const host = fakeHost();
        host.on('GET', '/containers/json', [web, job]);
        host.on('GET', '/containers/aa/json', {
            SizeRw: 3_000_000,
            State: { Running: true },
            Config: { Image: 'shop/api:1' },
            Mounts: [{ Type: 'volume', Name: ANONYMOUS }, { Type: 'volume', Name: 'data' }, { Type: 'bind', Source: '/srv/conf' }],
        });
        host.on('GET', '/containers/bb/json', { SizeRw: 0, State: { Running: false }, Config: { Image: 'shop/job:2' }, Mounts: [] });
        for (const id of ['aa', 'bb']) host.on('DELETE', `/containers/${id}`, new Response(null, { status: 204 }));
        const onclose = vi.fn();
        const { page, app } = show(RemoveDialog, { rows: which.map(rowOf), onclose }, host);
        const deleted = () => host.requests.filter((request) => request.method === 'DELETE').map((request) => request.path);
        return { page, app, onclose, deleted };
    }

    it('says exactly what goes and what stays, and that it is killed', async () => {
        const { page, deleted, onclose } = open([web]);
        const dialog = page.getByRole('dialog', { name: 'Remove web?' });
        expect(dialog.textContent).toContain('It runs: it is killed first.');
        expect(dialog.textContent).toContain('Working out what goes…');
        const goes = await page.findByRole('heading', { name: 'This will go, and nothing brings it back:' });
        const after = (heading: Element) => within(heading.nextElementSibling as HTMLElement).getAllByRole('listitem').map((item) => item.textContent);
        expect(after(goes)).toEqual(['its own files: 3 MB written since it was made', 'its logs']);
        expect(page.getByRole<HTMLInputElement>('checkbox', { name: 'Also remove 1 anonymous volume' }).checked).toBe(false);
        expect(after(page.getByRole('heading', { name: 'This stays:' }))).toEqual(['named volumes: data', 'folders of this machine: /srv/conf', 'the image shop/api:1']);
        expect(deleted()).toEqual([]);
        page.getByRole('button', { name: 'Kill and remove' }).click();
        expect(onclose).toHaveBeenCalledOnce();
        await vi.waitFor(() => expect(deleted()).toEqual(['/containers/aa?force=true&v=false']));
    });

    it('takes volumes without a name only where that was ticked', async () => {
        const { page, deleted } = open([web]);
        (await page.findByRole('checkbox', { name: 'Also remove 1 anonymous volume' })).click();
        page.getByRole('button', { name: 'Kill and remove' }).click();
        await vi.waitFor(() => expect(deleted()).toEqual(['/containers/aa?force=true&v=true']));
    });

    it('forces nothing that does not run', async () => {
        const { page, deleted } = open([job]);
        expect(await page.findByText('its own files: none were written')).toBeTruthy();
        expect(page.queryByText(/killed first/)).toBeNull();
        expect(page.queryByRole('checkbox')).toBeNull();
        page.getByRole('button', { name: 'Remove' }).click();
        await vi.waitFor(() => expect(deleted()).toEqual(['/containers/bb?force=false&v=false']));
    });

    it('names every one of several', async () => {
        const { page } = open([web, job]);
        const dialog = page.getByRole('dialog', { name: 'Remove 2 containers?' });
        expect(within(dialog).getAllByRole('listitem').slice(0, 2).map((item) => item.textContent?.trim())).toEqual(['web', 'job']);
        expect(dialog.textContent).toContain('1 of them runs: killed first.');
        expect(page.getByRole('button', { name: 'Kill and remove 2' })).toBeTruthy();
        expect(await page.findByText('the image shop/job:2')).toBeTruthy();
    });

    it('removes nothing by Cancel, nor where the engine is gone', async () => {
        const { page, app, deleted, onclose } = open([job]);
        page.getByRole('button', { name: 'Cancel' }).click();
        expect(onclose).toHaveBeenCalledOnce();
        app.engine.connection = { ...app.engine.connection, phase: 'waiting' };
        flushSync();
        const button = page.getByRole<HTMLButtonElement>('button', { name: 'Remove' });
        button.click();
        expect(button.disabled).toBe(true);
        await new Promise((done) => setTimeout(done, 20));
        expect(deleted()).toEqual([]);
    });
});

describe('Rename', () => {
    async function open() {
        const host = fakeHost();
        host.on('GET', '/containers/json', [web, job]);
        host.on('POST', '/containers/aa/rename', new Response(null, { status: 204 }));
        const onclose = vi.fn();
        const onrenamed = vi.fn();
        const { page, app } = show(RenameDialog, { row: rowOf(web), onclose, onrenamed }, host);
        app.containers.refresh();
        await vi.waitFor(() => expect(app.containers.rows).toHaveLength(2));
        flushSync();
        const asked = () => host.requests.filter((request) => request.method === 'POST').map((request) => request.path);
        return { host, page, onclose, onrenamed, asked, field: page.getByRole<HTMLInputElement>('textbox', { name: 'New name' }), button: page.getByRole<HTMLButtonElement>('button', { name: 'Rename' }) };
    }

    it('begins with the name chosen, takes no name that cannot be or is taken, and renames by Enter', async () => {
        const { page, field, button, asked, onclose, onrenamed } = await open();
        expect(page.getByRole('dialog', { name: 'Rename web' })).toBeTruthy();
        expect([document.activeElement, field.selectionEnd]).toEqual([field, 3]);
        expect(button.disabled).toBe(true);
        for (const [name, why] of [['-no', 'Only letters, digits'], ['job', 'Another container has this name.']] as const) {
            type(field, name);
            expect(page.getByRole('alert').textContent).toContain(why);
            expect(button.disabled).toBe(true);
            press('Enter', field);
        }
        expect(asked()).toEqual([]);
        type(field, 'front');
        expect(page.queryByRole('alert')).toBeNull();
        press('Enter', field);
        await vi.waitFor(() => expect(onrenamed).toHaveBeenCalledExactlyOnceWith('front'));
        expect(asked()).toEqual(['/containers/aa/rename?name=front']);
        expect(onclose).toHaveBeenCalledOnce();
    });

    it('stays with what was typed where the engine refuses, until that is changed', async () => {
        const { host, page, field, button, onclose } = await open();
        host.on('POST', '/containers/aa/rename', Response.json({ message: 'Conflict. The container name "/front" is already in use' }, { status: 409 }));
        type(field, 'front');
        button.click();
        await vi.waitFor(() => expect(page.getByRole('alert').textContent).toBe('Conflict. The container name "/front" is already in use'));
        expect(field.value).toBe('front');
        expect(onclose).not.toHaveBeenCalled();
        type(field, 'front2');
        expect(page.queryByRole('alert')).toBeNull();
        expect(button.disabled).toBe(false);
    });
});
