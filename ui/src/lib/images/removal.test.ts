import { describe, expect, it } from 'vitest';
import { childrenFirst, pruneOf, removalOf, untagOf, type ImageFacts, type User } from './removal';

const image = (id: string, tags: string[], layers: [string, number][], more: Partial<ImageFacts> = {}): ImageFacts => ({
    id,
    tags,
    digests: [],
    parent: '',
    layers: layers.map(([digest, size]) => ({ digest, size })),
    ...more,
});

const base = image('base', ['debian:12'], [['a', 100]]);
const app = image('app', ['shop/api:1'], [['a', 100], ['b', 20]], { parent: 'base' });
const old = image('old', [], [['a', 100], ['c', 7]]);
const other = image('other', ['tool:latest', 'mirror/tool:latest'], [['d', 50]]);
const all = [base, app, old, other];
const uses = (container: string, of: string, running = true): User => ({ name: container, image: of, running });

describe('removing', () => {
    it('counts a layer only when nothing else stands on it', () => {
        expect(removalOf(all, [], ['app'], false)).toMatchObject({ images: ['app'], bytes: 20, names: [{ name: 'shop/api:1' }] });
        expect(removalOf(all, [], ['app', 'base', 'old'], false).bytes).toBe(127);
    });

    it('removes what stands on an image before it', () => {
        expect(childrenFirst(all, ['base', 'app'])).toEqual(['app', 'base']);
        expect(removalOf(all, [], ['base'], false).kept).toEqual([{ image: 'base', why: { kind: 'children', images: ['app'] } }]);
    });

    it('keeps what runs whatever is said, and what has stopped unless told', () => {
        const users = [uses('web', 'app'), uses('once', 'other', false)];
        const removal = removalOf(all, users, ['app', 'other'], false);
        expect(removal.images).toEqual([]);
        expect(removal.kept.map(({ why }) => why.kind).sort()).toEqual(['running', 'stopped']);
        expect(removalOf(all, users, ['app', 'other'], true).images).toEqual(['other']);
    });

    it('takes nameless parents along that nothing needs any more', () => {
        const step = image('step', [], [['a', 100]]);
        const result = image('result', ['r:1'], [['a', 100], ['b', 1]], { parent: 'step' });
        expect(removalOf([step, result], [], ['result'], false)).toMatchObject({ images: ['result', 'step'], bytes: 101 });
    });
});

describe('taking a name away', () => {
    it('leaves the image to its other names', () => {
        expect(untagOf(all, [], 'tool:latest')).toMatchObject({ images: [], bytes: 0, names: [{ name: 'tool:latest' }] });
    });

    it('takes the digests of the repository along, and with the last name the image', () => {
        const pulled = image('p', ['r.io/x:1'], [['z', 9]], { digests: ['r.io/x@sha256:1'] });
        expect(untagOf([pulled], [], 'r.io/x:1')).toMatchObject({ images: ['p'], bytes: 9 });
        expect(untagOf([pulled], [uses('c', 'p', false)], 'r.io/x:1').names).toEqual([]);
    });
});

describe('pruning', () => {
    it('takes only what has no tag, unless all is said', () => {
        expect(pruneOf(all, [], false)).toMatchObject({ images: ['old'], bytes: 7 });
        expect(pruneOf(all, [], true).bytes).toBe(177);
    });

    it('leaves what a container uses, though not all of its names, as the engine does', () => {
        const removal = pruneOf(all, [uses('t', 'other', false)], true);
        expect(removal.images).not.toContain('other');
        expect(removal.names.filter(({ image: id }) => id === 'other')).toHaveLength(1);
    });

    it('leaves steps on the way to images that stay', () => {
        const step = image('step', [], [['a', 1]]);
        const result = image('result', ['r:1'], [['a', 1], ['b', 1]], { parent: 'step' });
        expect(pruneOf([step, result], [], false).images).toEqual([]);
    });
});
