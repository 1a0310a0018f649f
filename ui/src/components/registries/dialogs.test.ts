// @vitest-environment happy-dom
// The dialogs as a person meets them: by role and by name.
import { createApp } from '$lib/app.svelte';
import { fakeHost } from '$lib/host/fake';
import type { RegistryLogin } from '$lib/host/types';
import { within } from '@testing-library/dom';
import { flushSync, mount, unmount, type Component } from 'svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import WithApp from './WithApp.test.svelte';
import LoginDialog from './LoginDialog.svelte';
import LogoutDialog from './LogoutDialog.svelte';

let mounted: Record<string, unknown> | null = null;
let logins: RegistryLogin[] = [];

beforeEach(() => {
    logins = [{ server: 'r.example', user: 'me', store: 'file' }];
});
afterEach(async () => {
    if (mounted !== null) await unmount(mounted);
    document.body.replaceChildren();
});

function show<P extends Record<string, unknown>>(shown: Component<P>, props: P) {
    const app = createApp(fakeHost({ logins }));
    app.engine.connection = { ...app.engine.connection, phase: 'running' };
    mounted = mount(WithApp as Component<Record<string, unknown>>, { target: document.body, props: { app, shown, props } });
    flushSync();
    return { app, page: within(document.body) };
}

function type(element: HTMLElement, value: string) {
    (element as HTMLInputElement).value = value;
    element.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
}

it('logs in, says why it could not, and keeps all but the secret', async () => {
    const onin = vi.fn();
    const { page } = show(LoginDialog, { server: 'localhost:5000', onclose: () => undefined, onin });
    expect(page.getByRole('dialog', { name: 'Log in to localhost:5000' })).toBeTruthy();
    const button = page.getByRole<HTMLButtonElement>('button', { name: 'Log in' });
    expect(button.disabled).toBe(true);
    type(page.getByLabelText('User'), 'mira');
    type(page.getByLabelText('Password or token'), 'wrong');
    button.click();
    await vi.waitFor(() => expect(page.getByRole('alert').textContent).toContain('incorrect username or password'));
    type(page.getByLabelText('Password or token'), 'right');
    button.click();
    await vi.waitFor(() => expect(onin).toHaveBeenCalledOnce());
    expect(logins.map(({ server, user }) => `${user}@${server}`)).toContain('mira@localhost:5000');
    expect(page.getByLabelText<HTMLInputElement>('Password or token').value).toBe('');
});

it('says whose login goes from where', async () => {
    const onout = vi.fn();
    const { page } = show(LogoutDialog, { login: { server: 'r.example', user: 'me', store: 'file' }, onclose: () => undefined, onout });
    expect(page.getByRole('dialog').textContent).toContain('The login of me at r.example is deleted');
    page.getByRole('button', { name: 'Log out' }).click();
    await vi.waitFor(() => expect(onout).toHaveBeenCalledOnce());
    expect(logins).toEqual([]);
});
