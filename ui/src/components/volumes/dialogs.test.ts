// @vitest-environment happy-dom
import { clear, press, show, type } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { flushSync } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import CreateVolumeDialog from './CreateVolumeDialog.svelte';

afterEach(clear);

async function open() {
    const host = fakeHost();
    host.on('GET', '/volumes', { Volumes: [{ Name: 'data', Driver: 'local', Mountpoint: '/v/data', Labels: {}, Scope: 'local', Options: {} }], Warnings: [] });
    host.on('POST', '/volumes/create', (request) => Response.json({ Name: (JSON.parse(String(request.body)) as { Name?: string }).Name ?? 'made-up' }, { status: 201 }));
    const onclose = vi.fn();
    const { page, app } = show(CreateVolumeDialog, { onclose }, host);
    app.volumes.want();
    app.volumes.refresh();
    await vi.waitFor(() => expect(app.volumes.rows).toHaveLength(1));
    flushSync();
    const asked = () => host.requests.filter((request) => request.method === 'POST').map((request) => JSON.parse(String(request.body)) as unknown);
    return { host, page, app, onclose, asked, name: page.getByRole<HTMLInputElement>('textbox', { name: 'Name' }), button: page.getByRole<HTMLButtonElement>('button', { name: 'Create' }) };
}

it('creates by Enter, with its labels, and says what came of it', async () => {
    const { page, app, name, asked, onclose } = await open();
    expect(document.activeElement).toBe(name);
    type(name, 'cache');
    type(page.getByRole('textbox', { name: 'Labels' }), 'team=shop\n\nurl=a=b');
    press('Enter', name);
    await vi.waitFor(() => expect(onclose).toHaveBeenCalledOnce());
    expect(asked()).toEqual([{ Name: 'cache', Driver: 'local', Labels: { team: 'shop', url: 'a=b' }, DriverOpts: {} }]);
    expect(app.toasts.all.map((toast) => toast.title)).toEqual(['Volume cache created']);
});

it('lets the engine make up a name', async () => {
    const { app, button, asked, onclose } = await open();
    button.click();
    await vi.waitFor(() => expect(onclose).toHaveBeenCalledOnce());
    expect(asked()).toEqual([{ Driver: 'local', Labels: {}, DriverOpts: {} }]);
    expect(app.toasts.all.map((toast) => toast.title)).toEqual(['Volume made-up created']);
});

it.each([
    ['x', 'At least two letters'],
    ['../up', 'At least two letters'],
    ['data', 'There is a volume of this name already.'],
])('does not ask for %s', async (wrong, why) => {
    const { page, name, button, asked } = await open();
    type(name, wrong);
    expect(page.getByRole('alert').textContent).toContain(why);
    expect(button.disabled).toBe(true);
    press('Enter', name);
    expect(asked()).toEqual([]);
});

it('stays, with the engine’s words, where that refuses', async () => {
    const { host, page, name, button, onclose } = await open();
    host.on('POST', '/volumes/create', Response.json({ message: 'no space left on device' }, { status: 500 }));
    type(name, 'cache');
    button.click();
    expect((await page.findByRole('alert')).textContent).toBe('no space left on device');
    expect(onclose).not.toHaveBeenCalled();
    expect(name.value).toBe('cache');
});
