import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { same, type Json } from './document';
import { asText, groupOf, shown, typed, type Kind } from './setting';

const key = (Kind: Kind, Name = 'key') => ({ Kind, Name });

describe('typed', () => {
    it.each([
        ['flag', 'on', true],
        ['flag', '', undefined],
        ['number', ' -15 ', -15],
        ['size', '64M', '64M'],
        ['list', 'https://a\n\n  https://b ', ['https://a', 'https://b']],
        ['map', 'max-size=10m\nmax-file=3', { 'max-size': '10m', 'max-file': '3' }],
        ['text', 'a b', 'a b'],
    ] as const)('%s %j', (kind, text, value) => expect(typed(key(kind), text)).toEqual({ value, wrong: null }));

    it.each([
        ['number', '1.5', 'number'],
        ['size', 'lots', 'size'],
        ['map', 'max-size', 'pair'],
        ['map', 'a=1\na=2', 'pair-twice'],
    ] as const)('%s %j is refused', (kind, text, wrong) => expect(typed(key(kind), text).wrong).toBe(wrong));

    it('knows maps of switches', () => {
        expect(typed(key('map', 'features'), 'containerd-snapshotter=true').value).toEqual({ 'containerd-snapshotter': true });
        expect(typed(key('map', 'features'), 'x=yes').wrong).toBe('switch');
    });
});

describe('asText', () => {
    it('has no field for what it could not say back', () => {
        expect(asText(key('map', 'default-ulimits'), undefined)).toBeNull();
        expect(asText(key('map'), { a: { b: 1 } })).toBeNull();
        expect(asText(key('list'), ['a\nb'])).toBeNull();
        expect(asText(key('text'), 7)).toBeNull();
        expect(asText(key('size'), 67108864)).toBe('67108864');
    });

    it('is read back as the same value, wherever there is a text', () => {
        const kinds = fc.constantFrom<Kind>('flag', 'text', 'number', 'list', 'map');
        const word = fc.stringMatching(/^[a-z:/. =-]{1,8}$/);
        const value = fc.oneof(word, fc.integer(), fc.boolean(), fc.array(word), fc.dictionary(word, word), fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<Json>;
        fc.assert(
            fc.property(kinds, value, (kind, made) => {
                const text = asText(key(kind), made);
                if (text === null || text.trim() === '') return;
                expect(same(typed(key(kind), text).value ?? undefined, JSON.parse(JSON.stringify(made)) as Json)).toBe(true);
            }),
            { numRuns: 1_000 },
        );
    });
});

it('puts keys where one looks for them', () => {
    expect(['registry-mirrors', 'bip', 'proxies.http-proxy', 'userland-proxy', 'tlscacert', 'debug', 'log-opts', 'data-root', 'what'].map(groupOf)).toEqual(['registries', 'network', 'proxies', 'network', 'listening', 'talk', 'containers', 'places', 'other']);
    expect(shown(['a', 'b'])).toBe('a, b');
});
