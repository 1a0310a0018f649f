import { expect, it } from 'vitest';
import { best, score } from './match';

const names = ['Stop web', 'Start web', 'Go to Settings', 'web-proxy', 'Restart database'];
const find = (query: string) => best(query, names, (name) => name, 3);

it('puts what begins a word before what is inside one', () => {
    expect(find('st')[0]).toBe('Stop web');
    expect(find('web')[0]).toBe('web-proxy');
});

it('finds letters in order, and nothing else', () => {
    expect(find('gts')).toEqual(['Go to Settings']);
    expect(score('zz', 'Stop web')).toBeNull();
});

it('keeps the order where nothing is asked', () => {
    expect(find('')).toEqual(names.slice(0, 3));
});
