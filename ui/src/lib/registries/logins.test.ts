import { fakeHost } from '$lib/host/fake';
import { expect, it } from 'vitest';
import { Logins, serverOf } from './logins.svelte';

it.each([
    ['docker.io', 'docker.io'],
    [' https://index.docker.io/v1/ ', 'docker.io'],
    ['https://registry.example/', 'registry.example'],
    ['localhost:5000', 'localhost:5000'],
    ['[::1]:5000', '[::1]:5000'],
    ['registry.example/team', null],
    ['a b', null],
    ['', null],
])('%j is %s', (typed, server) => expect(serverOf(typed)).toBe(server));

it('lists logins by registry, and says why it cannot', async () => {
    const { registries } = fakeHost({ logins: [{ server: 'r.example', user: 'me', store: 'file' }, { server: 'docker.io', user: '', store: 'pass' }] }).native;
    if (registries === undefined) throw new Error('the fake offers logins');
    const logins = new Logins(registries);
    await logins.refresh();
    expect(logins.all.map(({ server }) => server)).toEqual(['docker.io', 'r.example']);
    const broken = new Logins({ ...registries, list: () => Promise.reject(new Error('the helper “pass” is not there')) });
    await broken.refresh();
    expect([broken.state, broken.error]).toEqual(['failed', 'the helper “pass” is not there']);
});
