// @vitest-environment happy-dom
// The page of one thing, before it is known, while it is there, once it is gone.
import { clear, show } from '$components/testing/show';
import VolumePage from '$components/volumes/VolumePage.svelte';
import { fakeHost } from '$lib/host/fake';
import { flushSync } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';

afterEach(clear);

it('waits for the list, shows what is in it with what can be done, and says when it is gone', async () => {
    const host = fakeHost();
    let there = [{ Name: 'data', Driver: 'local', Mountpoint: '/v/data', Scope: 'local', Labels: { team: 'shop' }, Options: null }];
    host.on('GET', '/volumes', () => ({ Volumes: there, Warnings: [] }));
    const { page, app } = show(VolumePage, { name: 'data' }, host);
    expect(page.getByRole('heading', { level: 1, name: 'data' })).toBeTruthy();
    expect(page.getByRole('status')).toBeTruthy();
    expect(page.queryByRole('button', { name: 'Remove…' })).toBeNull();

    app.volumes.refresh();
    await vi.waitFor(() => expect(app.volumes.loaded).toBe(true));
    flushSync();
    expect(page.queryByRole('status')).toBeNull();
    expect(document.body.textContent).toContain('team=shop');
    page.getByRole('button', { name: 'Remove…' }).click();
    expect(app.asking.current).toMatchObject({ kind: 'remove-volumes', volumes: [{ name: 'data' }] });

    there = [];
    app.volumes.refresh();
    expect((await page.findByRole('heading', { name: 'This volume is gone' })).tagName).toBe('H2');
    expect(page.queryByRole('button', { name: 'Remove…' })).toBeNull();
    expect(page.getAllByRole('link', { name: 'To the volumes' }).map((link) => link.getAttribute('href'))).toEqual(['#/volumes', '#/volumes']);
});
