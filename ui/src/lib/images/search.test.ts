import { expect, it } from 'vitest';
import { entered, hitsOf, marked, termOf, type Search } from './search';

const nginx = { name: 'nginx', description: 'Official build\n of Nginx. ', star_count: 20_412, is_official: true };
const other = { name: 'bitnami/nginx', star_count: 3, is_official: false };
const found: Search = { state: 'found', term: 'nginx', hits: hitsOf([nginx, other], 'nginx') };

it('keeps the order, makes one line of a description, and leaves out what has no name', () => {
    expect(hitsOf([nginx, {}, other, nginx], 'nginx')).toEqual([
        { reference: 'nginx', description: 'Official build of Nginx.', stars: 20_412, official: true },
        { reference: 'bitnami/nginx', description: '', stars: 3, official: false },
    ]);
});

it('names another index in what is pulled, since it does not say itself', () => {
    expect(hitsOf([other, { name: 'r.example:5000/nginx' }], 'r.example:5000/nginx').map((hit) => hit.reference)).toEqual(['r.example:5000/bitnami/nginx', 'r.example:5000/nginx']);
    expect(hitsOf([other], 'docker.io/nginx').map((hit) => hit.reference)).toEqual(['bitnami/nginx']);
});

it('searches for a name without its tag and digest', () => {
    expect(['  nginx:1.27 ', 'localhost:5000/a:2', 'localhost:5000/a', `a@sha256:${'0'.repeat(64)}`].map(termOf)).toEqual(['nginx', 'localhost:5000/a', 'localhost:5000/a', 'a']);
});

it('asks by Enter, once; takes what is marked; asks anew for what was typed since', () => {
    expect(entered({ state: 'idle' }, '  ', -1)).toBeNull();
    expect(entered({ state: 'idle' }, 'nginx', -1)).toEqual({ do: 'ask', term: 'nginx' });
    expect(entered({ state: 'asking', term: 'nginx' }, 'nginx', -1)).toBeNull();
    expect(entered({ state: 'asking', term: 'nginx' }, 'redis', -1)).toEqual({ do: 'ask', term: 'redis' });
    expect(entered(found, 'nginx', 1)).toMatchObject({ do: 'take', hit: { reference: 'bitnami/nginx' } });
    expect(entered(found, 'redis', -1)).toEqual({ do: 'ask', term: 'redis' });
    expect(entered({ state: 'failed', term: 'nginx', message: 'no' }, 'nginx', -1)).toEqual({ do: 'ask', term: 'nginx' });
});

it('walks round', () => {
    expect([marked(-1, 1, 3), marked(-1, -1, 3), marked(2, 1, 3), marked(0, -1, 3), marked(0, 1, 3), marked(0, 1, 0)]).toEqual([0, 2, 0, 2, 1, -1]);
});
