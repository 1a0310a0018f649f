import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');

function tokens(selector: RegExp): Map<string, string> {
    const body = selector.exec(css)?.[1] ?? '';
    return new Map([...body.matchAll(/--([\w-]+): ([^;]+);/g)].map((match) => [match[1] ?? '', match[2] ?? '']));
}

const light = tokens(/^:root \{([\s\S]*?)\n\}/m);
const asked = tokens(/:root\[data-theme="dark"\] \{([\s\S]*?)\n\}/);
const system = tokens(/:root:not\(\[data-theme="light"\]\) \{([\s\S]*?)\n {4}\}/);

function luminance(hex: string): number {
    const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * (parts[0] ?? 0) + 0.7152 * (parts[1] ?? 0) + 0.0722 * (parts[2] ?? 0);
}

function contrast(a: string, b: string): number {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
    return (high + 0.05) / (low + 0.05);
}

it('has the same dark values whoever asks for them', () => {
    expect([...system]).toEqual([...asked]);
    expect(asked.size).toBeGreaterThan(40);
});

describe.each([
    ['light', light],
    ['dark', asked],
])('%s', (_, theme) => {
    const grounds = ['canvas', 'surface', 'sunken', 'raised', 'hover', 'selected'];
    const pairs = [
        ...['text', 'text-soft', 'text-faint', 'accent'].flatMap((front) => grounds.map((ground) => [front, ground])),
        ...['good', 'warn', 'bad', 'info', 'accent'].map((tone) => [tone, `${tone}-soft`]),
        ['text-soft', 'pressed'],
        ['on-accent', 'accent'],
        ['surface', 'bad'],
        ['text', 'match'],
        ...Array.from({ length: 16 }, (_, colour) => [`ansi-${colour}`, 'canvas']),
    ] as [string, string][];

    it.each(pairs)('%s on %s can be read (WCAG AA)', (front, ground) => {
        expect(contrast(theme.get(front) ?? '', theme.get(ground) ?? '')).toBeGreaterThanOrEqual(4.5);
    });
});
