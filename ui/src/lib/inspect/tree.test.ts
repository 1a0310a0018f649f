import { expect, it } from 'vitest';
import { linesOf } from './tree';

const root = { Id: 'abc', State: { Running: true, Error: '' }, Mounts: [{ 'a b': 1 }], Empty: {}, Nothing: null };
const show = (search: string, closed: string[] = []) =>
    linesOf(root, { search, closed: new Set(closed) }).map(({ path, value }) => (value === null ? path : `${path}=${value}`));

it('is a line for each key, with the path that tools take', () => {
    expect(show('')).toEqual(['.Id=abc', '.State', '.State.Running=true', '.State.Error=', '.Mounts', '.Mounts[0]', '.Mounts[0]["a b"]=1', '.Empty', '.Nothing=null']);
});

it('hides what is closed', () => {
    expect(show('', ['.State', '.Mounts[0]'])).toEqual(['.Id=abc', '.State', '.Mounts', '.Mounts[0]', '.Empty', '.Nothing=null']);
});

it('shows what leads to what was found, and what is below it, even where it is closed', () => {
    expect(show('true', ['.State'])).toEqual(['.State', '.State.Running=true']);
    expect(show('mounts')).toEqual(['.Mounts', '.Mounts[0]', '.Mounts[0]["a b"]=1']);
    expect(show('nowhere')).toEqual([]);
});
