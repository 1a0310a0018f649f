import { describe, expect, it } from 'vitest';
import { levelOfWords, lineOf, recordOf } from './record';

const fields = (words: string) => Object.fromEntries(recordOf(words).fields.map(({ name, value }) => [name, value]));

it.each([
    ['zap', '{"level":"info","ts":1767348672.1,"caller":"a.go:1","msg":"ready","port":80}', 'info', 'ready', { caller: 'a.go:1', port: '80' }],
    ['pino', '{"level":50,"time":1,"pid":7,"msg":"no","err":{"code":"E"}}', 'error', 'no', { pid: '7', err: '{"code":"E"}' }],
    ['structlog', '{"event":"login","log_level":"warning","user":"a"}', 'warn', 'login', { user: 'a' }],
    ['google', '{"severity":"CRITICAL","message":"down"}', 'error', 'down', {}],
    ['elastic', '{"@timestamp":"x","log":{"level":"debug"},"message":"m"}', 'debug', 'm', { log: '{"level":"debug"}' }],
    ['no level', '{"a":null,"b":[1,2]}', null, '', { a: 'null', b: '[1,2]' }],
] as const)('reads JSON of %s', (_, line, level, message, rest) => {
    expect(recordOf(line)).toMatchObject({ format: 'json', level, message });
    expect(fields(line)).toEqual(rest);
});

it('reads logfmt, and leaves its words as they are', () => {
    const line = 'time=2026-01-02T10:11:12Z level=warn msg="took \\"long\\"" ms=412 path=/a=b';
    expect(recordOf(line)).toMatchObject({ format: 'logfmt', level: 'warn', message: line });
    expect(fields(line)).toEqual({ ms: '412', path: '/a=b' });
});

it('shows JSON as a message and fields, in one line', () => {
    expect(lineOf(recordOf('{"msg":"two\\nlines","a":"\\t1"}'))).toBe('two ⏎ lines  a= 1');
});

it.each(['a=1', 'PATH=/bin is not set', 'x=1 y', '{', '{}', '[1]', '{"a":1} tail', '{"unterminated": "', 'level', 'a="1', '="" =""'])('takes for plain: %s', (line) => {
    expect(recordOf(line)).toMatchObject({ format: 'plain', message: line, fields: [] });
});

describe('what a line has no business to do', () => {
    it('brings no escape sequence in through JSON', () => {
        const record = recordOf('{"msg":"\\u001b]0;owned\\u0007a\\u001b[31mb","\\u001b[2Jkey":"\\u009b31mv"}');
        expect(record.message).toBe('ab');
        expect(record.fields).toEqual([{ name: 'key', value: 'v' }]);
    });

    it('changes no prototype', () => {
        const line = '{"__proto__":{"polluted":true},"constructor":"x","msg":"m"}';
        expect(fields(line)['constructor']).toBe('x');
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    });

    it('has no end of fields, of depth or of length', () => {
        const many = JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`k${at}`, at])));
        expect(recordOf(many).fields).toHaveLength(200);
        const deep = `{"msg":"m","a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
        expect(recordOf(deep).message === 'm' || recordOf(deep).format === 'plain').toBe(true);
        expect(recordOf(JSON.stringify({ msg: 'x'.repeat(60_000) })).message.length).toBeLessThan(5_000);
    });

    it('is slow to read', () => {
        const lines = [`a=${'"\\'.repeat(30_000)}`, `${'a='.repeat(30_000)}`, `a=1 ${' '.repeat(60_000)}x`, `{${' '.repeat(60_000)}`, `${'k=v '.repeat(15_000)}!`];
        // Each is read in one pass: what backtracks would not end here.
        for (const line of lines) expect(recordOf(line).format).toBe('plain');
    });
});

it('asks no more than it needs for a level', () => {
    expect(['{"level":"error"}', 'level=debug msg=x', 'WARN x', ' {"severity":"info"} ', 'plain'].map(levelOfWords)).toEqual(['error', 'debug', 'warn', 'info', null]);
});
