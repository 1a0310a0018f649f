import { describe, expect, it } from 'vitest';
import { fractionOf, nothingYet, overall, together, told, type ProgressLine } from './progress';

const all = (...lines: ProgressLine[]) => lines.reduce(told, nothingYet);

describe('told', () => {
    it('folds a pull into layers, in the order of their first line', () => {
        const progress = all(
            { status: 'Pulling from shop/api', id: '1.0' },
            { status: 'Pulling fs layer', id: 'aa' },
            { status: 'Pulling fs layer', id: 'bb' },
            { status: 'Downloading', id: 'bb', progressDetail: { current: 5, total: 10 } },
            { status: 'Already exists', id: 'aa' },
            { status: 'Digest: sha256:1' },
        );
        expect(progress.layers.map(({ id, stage }) => [id, stage])).toEqual([['aa', 'done'], ['bb', 'moving']]);
        expect(progress.lines).toEqual(['1.0: Pulling from shop/api', 'Digest: sha256:1']);
    });

    it('keeps what went wrong, and the layers as they were', () => {
        const progress = all({ status: 'Waiting', id: 'aa' }, { error: 'x', errorDetail: { message: 'denied' } });
        expect(progress).toMatchObject({ error: 'denied', layers: [{ id: 'aa' }] });
    });

    it('takes a name that no engine has told yet as a line', () => {
        expect(all({ status: 'Frobbing', id: 'aa' })).toMatchObject({ layers: [], lines: ['aa: Frobbing'] });
    });
});

describe('overall', () => {
    it('never goes back between the wire and the disk', () => {
        const lines: ProgressLine[] = [
            { status: 'Downloading', id: 'a', progressDetail: { current: 1, total: 10 } },
            { status: 'Downloading', id: 'a', progressDetail: { current: 10, total: 10 } },
            { status: 'Download complete', id: 'a' },
            { status: 'Extracting', id: 'a', progressDetail: { current: 1, total: 10 } },
            { status: 'Pull complete', id: 'a' },
        ];
        let before = -1;
        let progress = nothingYet;
        for (const line of lines) {
            progress = told(progress, line);
            const now = overall(progress, true) ?? 0;
            expect(now).toBeGreaterThanOrEqual(before);
            before = now;
        }
        expect(before).toBe(1);
    });

    it('weighs layers by their sizes', () => {
        const progress = all({ status: 'Pushed', id: 'a' }, { status: 'Pushing', id: 'b', progressDetail: { current: 0, total: 30 } });
        expect(overall(progress, false)).toBe(0.5);
        expect(overall(nothingYet, false)).toBeNull();
        expect(fractionOf({ id: '', stage: 'moving', status: '', current: 9, total: 3 }, false)).toBe(1);
    });
});

it('counts several tasks alike, and those that know nothing yet as not begun', () => {
    expect(together([1, 0.5, null])).toBe(0.5);
    expect(together([null])).toBeNull();
    expect(together([])).toBeNull();
});
