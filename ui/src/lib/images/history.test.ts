import { describe, expect, it } from 'vitest';
import { commandOf, stepsOf } from './history';

describe('commandOf', () => {
    it.each([
        ['/bin/sh -c #(nop)  CMD ["sh"]', 'CMD', '["sh"]'],
        ['/bin/sh -c apt-get update', 'RUN', 'apt-get update'],
        ['RUN /bin/sh -c make install # buildkit', 'RUN', 'make install'],
        ['COPY . /src # buildkit', 'COPY', '. /src'],
        ['|1 VERSION=2 /bin/sh -c make', 'RUN', 'make'],
        ['sh -c dd if=/dev/zero', '', 'sh -c dd if=/dev/zero'],
    ])('%s', (createdBy, instruction, command) => expect(commandOf(createdBy)).toEqual({ instruction, command }));
});

const entry = (CreatedBy: string, Size: number) => ({ Id: '', Created: 1, CreatedBy, Tags: null as unknown as string[], Size, Comment: '' });

describe('stepsOf', () => {
    it('gives layers to the steps that made them', () => {
        const steps = stepsOf([entry('CMD ["a"]', 0), entry('RUN x', 5), entry('ENV A=b', 0), entry('ADD / /', 9)], ['l1', 'l2']);
        expect(steps.map((step) => step.layer)).toEqual(['l1', null, 'l2', null]);
    });

    it('finds layers without content', () => {
        const steps = stepsOf([entry('WORKDIR /src', 0), entry('ENV A=b', 0), entry('ADD / /', 9)], ['l1', 'l2']);
        expect(steps.map((step) => step.layer)).toEqual(['l1', null, 'l2']);
    });

    it('survives fewer steps than layers', () => {
        expect(stepsOf([], ['l1'])).toEqual([]);
    });
});
