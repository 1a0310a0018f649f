import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesOf, merged, read, same, saidOf, withKey } from './document';

const FILE = '{\n  "debug": false,\n  "dns": ["1.1.1.1"],\n  "proxies": {"no-proxy": "localhost"}\n}\n';

describe('read', () => {
    it('takes an empty file for one that says nothing', () => {
        expect(read(' \n')).toEqual({ document: {}, fault: null });
        expect(read('[]')).toEqual({ document: null, fault: 'no-object' });
        expect(read('{').fault).toMatchObject({ kind: 'end' });
    });

    it('finds proxies where the file has them', () => {
        const { document } = read(FILE);
        expect(saidOf(document ?? {}, 'proxies.no-proxy')).toBe('localhost');
        expect(saidOf(document ?? {}, 'proxies.http-proxy')).toBeUndefined();
    });
});

describe('withKey', () => {
    it('changes one key and keeps order and indent', () => {
        const text = withKey(FILE, 'debug', true);
        expect(text).toMatch(/^\{\n {2}"debug": true,\n {2}"dns"/);
        expect(Object.keys(JSON.parse(withKey(text, 'mtu', 1400)) as object)).toEqual(['debug', 'dns', 'proxies', 'mtu']);
    });

    it('takes a key away, and its group with the last one', () => {
        expect(JSON.parse(withKey(FILE, 'proxies.no-proxy', undefined))).toEqual({ debug: false, dns: ['1.1.1.1'] });
        expect(withKey('', 'debug', true)).toBe('{\n    "debug": true\n}\n');
        expect(withKey('{"debug"', 'debug', true)).toBe('{"debug"');
    });

    it('puts in what is then read, whatever it is', () => {
        const value = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<never>;
        const key = fc.oneof(fc.constantFrom('debug', 'proxies.http-proxy', 'dns'), fc.stringMatching(/^[a-z-]{1,8}$/));
        fc.assert(
            fc.property(key, value, (name, put) => {
                const document = read(withKey(FILE, name, put)).document;
                expect(same(saidOf(document ?? {}, name), JSON.parse(JSON.stringify(put)) as never)).toBe(true);
            }),
        );
    });
});

it('says what is changed, groups taken apart', () => {
    const before = read(FILE).document ?? {};
    const after = read(withKey(withKey(FILE, 'proxies.http-proxy', 'http://p:1'), 'dns', undefined)).document ?? {};
    expect(changesOf(before, after)).toEqual([
        { key: 'dns', before: ['1.1.1.1'], after: undefined },
        { key: 'proxies.http-proxy', before: undefined, after: 'http://p:1' },
    ]);
    expect(changesOf(before, before)).toEqual([]);
});

describe('merged', () => {
    it('puts my changes into theirs', () => {
        const mine = withKey(FILE, 'debug', true);
        const theirs = withKey(withKey(FILE, 'mtu', 1400), 'dns', undefined);
        const result = merged(FILE, mine, theirs);
        expect(JSON.parse(result?.text ?? '')).toEqual({ debug: true, mtu: 1400, proxies: { 'no-proxy': 'localhost' } });
        expect(result?.both).toEqual([]);
    });

    it('names what both have changed', () => {
        expect(merged(FILE, withKey(FILE, 'dns', ['9.9.9.9']), withKey(FILE, 'dns', []))?.both).toEqual(['dns']);
        expect(merged(FILE, withKey(FILE, 'debug', true), withKey(FILE, 'debug', true))?.both).toEqual([]);
        expect(merged(FILE, '{', FILE)).toBeNull();
    });
});
