// @vitest-environment happy-dom
// The dialogs as a person meets them: by role and by name.
import { clear, show, type } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import type { RegistryLogin } from '$lib/host/types';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import LoginDialog from './LoginDialog.svelte';
import LogoutDialog from './LogoutDialog.svelte';

let logins: RegistryLogin[] = [];

beforeEach(() => {
    logins = [{ server: 'r.example', user: 'me', store: 'file' }];
});
afterEach(clear);

it('logs in, says why it could not, and keeps all but the secret', async () => {
    const onin = vi.fn();
    const { page } = show(LoginDialog, { server: 'localhost:5000', onclose: () => undefined, onin }, fakeHost({ logins }));
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
    const { page } = show(LogoutDialog, { login: { server: 'r.example', user: 'me', store: 'file' }, onclose: () => undefined, onout }, fakeHost({ logins }));
    expect(page.getByRole('dialog').textContent).toContain('The login of me at r.example is deleted');
    page.getByRole('button', { name: 'Log out' }).click();
    await vi.waitFor(() => expect(onout).toHaveBeenCalledOnce());
    expect(logins).toEqual([]);
});
