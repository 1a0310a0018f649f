import { describe, expect, it } from 'vitest';
import { fakeHost } from '$lib/host/fake';
import { Client, fill, newer, queryString } from './client';
import { engineError } from './error';
import { Frames, jsonLines, type Output } from './stream';
import { committed, generate } from '../../../dev/codegen.mjs';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('addresses', () => {
    it('hold no value that could leave its place', () => {
        expect(fill('/containers/{id}/json', { id: '../images?x' })).toBe('/containers/..%2Fimages%3Fx/json');
        expect(() => fill('/containers/{id}', {})).toThrow('{id}');
        expect(queryString({ all: true, changes: ['CMD a', 'ENV b'], none: undefined })).toBe('?all=true&changes=CMD+a&changes=ENV+b');
    });

    it('have the version that both sides know', async () => {
        const host = fakeHost();
        host.on('GET', '/info', {});
        const client = new Client(host);
        for (const version of ['1.44', '1.99']) {
            client.speak(version);
            await client.get('/info');
        }
        expect(host.requests.map((request) => request.path)).toEqual(['/v1.44/info', '/v1.55/info']);
        expect([newer('1.9', '1.44'), newer('2.0', '1.55')]).toEqual([false, true]);
    });
});

it('says what the engine says', async () => {
    const host = fakeHost();
    host.on('GET', '/info', () => new Response('{"message":"no such thing"}', { status: 404 }));
    await expect(new Client(host).get('/info')).rejects.toThrow('no such thing');
    expect(engineError(500, '<html>').message).toBe('<html>');
    expect(engineError(500, '').message).toBe('the engine answered 500');
});

it('reads lines of JSON that are cut anywhere', async () => {
    const parts = ['{"a":', '1}\n\n{"a":2}\n{"a"', ':3}'];
    const body = new ReadableStream<Uint8Array>({
        start(controller) {
            for (const part of parts) controller.enqueue(bytes(part));
            controller.close();
        },
    });
    const found = [];
    for await (const value of jsonLines<{ a: number }>(body)) found.push(value.a);
    expect(found).toEqual([1, 2, 3]);
});

it('takes frames apart that are cut anywhere', () => {
    const frame = (output: number, text: string) => new Uint8Array([output, 0, 0, 0, 0, 0, 0, text.length, ...bytes(text)]);
    const whole = new Uint8Array([...frame(1, 'out'), ...frame(2, 'error'), ...frame(1, '')]);
    for (let size = 1; size <= whole.length; size += 1) {
        const frames = new Frames();
        const seen: Record<Output, string> = { stdout: '', stderr: '' };
        for (let at = 0; at < whole.length; at += size) {
            frames.push(whole.subarray(at, at + size), (output, part) => (seen[output] += new TextDecoder().decode(part)));
        }
        expect(seen).toEqual({ stdout: 'out', stderr: 'error' });
    }
});

it('has the types that the description gives', { timeout: 60_000 }, async () => {
    expect(await committed()).toBe(await generate());
});
