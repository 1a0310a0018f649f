// @vitest-environment happy-dom
import { clear, show } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { DONE } from '$lib/onboarding/steps';
import { flushSync } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import Welcome from '../../views/Welcome.svelte';

afterEach(clear);

const commandLine = { bundled: '/opt/dhow/dhow', found: '', ours: false, user: { path: '/home/me/.local/bin/dhow', inPath: false }, system: { path: '/usr/local/bin/dhow', needsPassword: true } };

it('puts dhow into the PATH, and says what that takes', async () => {
    const { page } = show(Welcome, {}, fakeHost({ commandLine }));
    await vi.waitFor(() => expect(page.getAllByRole('listitem')).toHaveLength(3));
    expect(document.body.textContent).toContain('/home/me/.local/bin/dhow – its folder is not in your PATH yet');
    expect(document.body.textContent).toContain('/usr/local/bin/dhow – takes an administrator’s password');
    page.getByRole('button', { name: 'For me' }).click();
    await vi.waitFor(() => expect(document.body.textContent).toContain('A terminal finds /home/me/.local/bin/dhow.'));
    page.getByRole('button', { name: 'Remove the link' }).click();
    await vi.waitFor(() => expect(page.getByRole('button', { name: 'For everyone…' })).toBeTruthy());
});

it('has no such step where the host has no dhow, and can be skipped for good', () => {
    const { page, app } = show(Welcome, {}, fakeHost());
    expect(page.getAllByRole('heading', { level: 2 }).map((heading) => heading.textContent)).toEqual(['The engine, done', 'A first container']);
    page.getByRole('button', { name: 'Skip' }).click();
    expect(app.host.native.settings.get(DONE)).toBe('yes');
});

it('runs the welcome container on a free port, and says where it is', async () => {
    const host = fakeHost();
    host.on('POST', '/containers/create', { Id: 'a' });
    host.on('POST', '/containers/welcome/start', () => new Response(null, { status: 204 }));
    host.on('GET', '/containers/welcome/json', { Config: { Image: 'dhow/welcome' }, State: { Running: false }, NetworkSettings: { Ports: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '49160' }] } } });
    const opened = vi.spyOn(host.native, 'openExternal');
    const { page } = show(Welcome, {}, host);
    page.getByRole('button', { name: 'Run the welcome container' }).click();
    await vi.waitFor(() => expect(opened).toHaveBeenCalledWith('http://127.0.0.1:49160/'));
    flushSync();
    expect(JSON.parse(String(host.requests[0]?.body))).toMatchObject({ Image: 'dhow/welcome', HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } } });
    expect(page.getByRole('button', { name: 'Done' })).toBeTruthy();
});

it('leaves a container of somebody else’s alone', async () => {
    const host = fakeHost();
    host.on('POST', '/containers/create', Response.json({ message: 'Conflict' }, { status: 409 }));
    host.on('GET', '/containers/welcome/json', { Config: { Image: 'nginx' }, State: { Running: false } });
    const { page } = show(Welcome, {}, host);
    page.getByRole('button', { name: 'Run the welcome container' }).click();
    await vi.waitFor(() => expect(page.getByRole('alert').textContent).toContain('made of nginx'));
    expect(host.requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
});
