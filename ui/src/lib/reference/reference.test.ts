import { expect, it } from 'vitest';
import { parseReference, withDefaultTag, registryOf, wantsLogin } from './reference';

it.each([
    ['nginx', 'nginx', '', ''],
    ['127.0.0.1:5000/shop/api:1.0', '127.0.0.1:5000/shop/api', '1.0', ''],
    ['localhost:5000/a', 'localhost:5000/a', '', ''],
    ['Registry.Example/a:B', 'Registry.Example/a', 'B', ''],
    [`a@sha256:${'0'.repeat(64)}`, 'a', '', `sha256:${'0'.repeat(64)}`],
])('reads %s', (text, name, tag, digest) => expect(parseReference(text)).toEqual({ name, tag, digest }));

it.each(['', 'Nginx', 'a:', 'a b', 'a@x', '/a', '--rm', 'a//b', 'a:tag/b:c d'])('refuses %j', (text) => expect(parseReference(text)).toBeNull());

it('means latest where nothing is said', () => {
    expect(withDefaultTag('localhost:5000/a')).toBe('localhost:5000/a:latest');
    expect(withDefaultTag('a:1')).toBe('a:1');
});

it.each([
    ['nginx', 'docker.io'],
    ['library/nginx:1', 'docker.io'],
    ['docker.io/library/nginx', 'docker.io'],
    ['index.docker.io/library/nginx', 'docker.io'],
    ['localhost/app', 'localhost'],
    ['localhost:5000/app:1', 'localhost:5000'],
    ['ghcr.io/team/app@sha256:0', 'ghcr.io'],
    ['app:5000', 'docker.io'],
])('the registry of %s is %s', (reference, registry) => expect(registryOf(reference)).toBe(registry));

it('knows when a login would help', () => {
    expect(wantsLogin("pull access denied for x, repository does not exist or may require 'docker login'")).toBe(true);
    expect(wantsLogin('unauthorized: authentication required')).toBe(true);
    expect(wantsLogin('dial tcp: connection refused')).toBe(false);
});
