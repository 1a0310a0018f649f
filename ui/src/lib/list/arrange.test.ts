import { expect, it } from 'vitest';
import { imageOrders, imageRow } from '$lib/images/row';
import { arrange } from './arrange';

const image = (Id: string, tags: string[], Size: number) => imageRow({ Id, RepoTags: tags, RepoDigests: [], Size, SharedSize: -1, Created: 1, ParentId: '' } as never);
const rows = [image('sha256:1', ['a-b:1'], 5), image('sha256:2', ['a:10'], 5), image('sha256:3', ['a:9'], 7), image('sha256:4', ['<none>:<none>'], 1)];
const names = (search: string, key: 'name' | 'size', descending = false) => arrange(rows, search, () => true, imageOrders(() => 0)[key], descending).map((row) => row.name);

it('sorts names as people count, and what has none comes last', () => {
    expect(names('', 'name')).toEqual(['a:9', 'a:10', 'a-b:1', '4']);
});

it('keeps a place for equal rows, whichever way it sorts', () => {
    expect(names('', 'size', true)).toEqual(['a:9', 'a-b:1', 'a:10', '4']);
    expect(names('', 'size')).toEqual(['4', 'a-b:1', 'a:10', 'a:9']);
});

it('finds all words, anywhere', () => {
    expect(names('A 10', 'name')).toEqual(['a:10']);
    expect(rows[0]).toMatchObject({ shared: null, unique: null });
});
