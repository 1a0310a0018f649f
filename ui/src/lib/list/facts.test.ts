import { expect, it } from 'vitest';
import { pairLines, someOr } from './facts';

it('tells pairs one a line, and those without a value by their name', () => {
    expect(pairLines({ team: 'shop', keep: '', url: 'a=b' }, 'none')).toEqual(['team=shop', 'keep', 'url=a=b']);
});

it('says that there are none', () => {
    expect([pairLines(null, 'none'), pairLines({}, 'none'), someOr([], 'none'), someOr(['10.0.0.0/8'], 'none')]).toEqual(['none', 'none', 'none', ['10.0.0.0/8']]);
});
