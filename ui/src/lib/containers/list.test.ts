import { orderOf } from './row';
import { describe, expect, it } from 'vitest';
import { counts, itemsOf, type Query } from './list';
import { rowOf } from './row';

const summary = (name: string, more: Record<string, unknown> = {}) => ({ Id: `id-${name}`, Names: [`/${name}`], Image: 'busybox', State: 'running', Status: 'Up 1 second', Labels: {}, Created: 0, ...more }) as never;
const inProject = (name: string, project: string, more = {}) => summary(name, { Labels: { 'com.docker.compose.project': project }, ...more });

const rows = [
    summary('zeta'),
    inProject('web-10', 'shop'),
    inProject('web-2', 'shop', { State: 'exited', Status: 'Exited (1) 5 minutes ago' }),
    inProject('app', 'blog', { Status: 'Up 1 minute (unhealthy)' }),
    summary('alpha', { State: 'exited', Status: 'Exited (0) 2 days ago', Image: 'postgres' }),
].map(rowOf);

const all: Query = { search: '', filter: 'all', sort: { key: 'name', descending: false }, grouped: true, collapsed: new Set() };
const show = (query: Partial<Query>, use: Record<string, number> = {}) =>
    itemsOf(rows, { ...all, ...query }, (id) => (use[id] === undefined ? undefined : { cpu: use[id], memory: 0 })).map((item) => (item.kind === 'group' ? `[${item.project}]` : item.row.name));

describe('the list', () => {
    it('has projects first, numbers in names as numbers', () => {
        expect(show({})).toEqual(['[blog]', 'app', '[shop]', 'web-2', 'web-10', 'alpha', 'zeta']);
    });

    it('hides what is in a closed project, but not from a search', () => {
        const collapsed = new Set(['shop']);
        expect(show({ collapsed })).toEqual(['[blog]', 'app', '[shop]', 'alpha', 'zeta']);
        expect(show({ collapsed, search: 'web-2' })).toEqual(['[shop]', 'web-2']);
    });

    it('finds all words, wherever they are', () => {
        expect(show({ search: 'POSTGRES alp' })).toEqual(['alpha']);
        expect(show({ search: 'alpha shop' })).toEqual([]);
    });

    it('filters, and counts the same', () => {
        expect(show({ filter: 'trouble', grouped: false })).toEqual(['app', 'web-2']);
        expect(counts(rows)).toEqual({ all: 5, running: 3, stopped: 2, trouble: 2 });
    });

    it('sorts by use, what is not measured last, equals by name', () => {
        const sort = { key: 'cpu', descending: true } as const;
        expect(show({ grouped: false, sort }, { 'id-zeta': 5, 'id-app': 9 })).toEqual(['app', 'zeta', 'alpha', 'web-2', 'web-10']);
    });

    it('is worked out of a thousand containers within a frame', () => {
        const many = Array.from({ length: 1_000 }, (_, number) => rowOf(inProject(`c-${number}`, `p-${number % 40}`)));
        const started = performance.now();
        expect(itemsOf(many, all, () => undefined)).toHaveLength(1_040);
        // A frame is 16 ms; machines that run tests are busy.
        expect(performance.now() - started).toBeLessThan(100);
    });
});

it('sorts as people count', () => {
    const sorted = ['web-10', 'Web-2', 'web-002', 'api', 'web'].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
    expect(sorted.map((name) => name.toLowerCase())).toEqual(['api', 'web', 'web-2', 'web-002', 'web-10']);
});
