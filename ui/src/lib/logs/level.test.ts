import { expect, it } from 'vitest';
import { goesOn, levelOf, levelOfLine, reaches } from './level';

it.each([
    ['2026-01-02T10:11:12Z  INFO target: ready', 'info'],
    ['2026-01-02 10:11:12,345 [main] WARN  com.example.Thing - slow', 'warn'],
    ['ERROR:root:it broke', 'error'],
    ['2026/01/02 10:11:12 [error] 12#12: *1 open() failed', 'error'],
    ['2026-01-02 10:11:12 0 [Warning] mysqld: deprecated', 'warn'],
    ['2026-01-02 10:11:12.345 UTC [1] LOG:  database system is ready', 'info'],
    ['2026-01-02 10:11:12.345 UTC [7] FATAL:  password authentication failed', 'error'],
    ['10:11AM WRN disk nearly full used=91', 'warn'],
    ['npm ERR! code ELIFECYCLE', 'error'],
    ['W0102 15:04:05.678901       1 reflector.go:1] watch closed', 'warn'],
    ['info: Microsoft.Hosting.Lifetime[14]', 'info'],
    ['fail: Microsoft.EntityFrameworkCore[1]', 'error'],
    ['gcc: error: no input files', 'error'],
    ['error[E0308]: mismatched types', 'error'],
    ['[DEBUG] cache hit', 'debug'],
    ['[main] [error] two brackets', 'error'],
    ['Traceback (most recent call last):', 'error'],
    ['panic: runtime error: index out of range', 'error'],
    ['I, [2026-01-02T10:11:12 #1]  INFO -- : started', 'info'],
])('%s', (line, level) => {
    expect(levelOfLine(line)).toBe(level);
});

it.each([
    '0 errors were found',
    'the error handler is installed',
    'GET /errors/fatal 200',
    'this information is free',
    `${'x'.repeat(400)} ERROR`,
    '',
    '[]()<>',
])('says nothing of: %s', (line) => {
    expect(levelOfLine(line)).toBeNull();
});

it('knows the numbers of pino and bunyan, and nothing of other values', () => {
    expect([10, 20, 30, 40, 50, 60].map(levelOf)).toEqual(['trace', 'debug', 'info', 'warn', 'error', 'error']);
    expect([0, 3, 1e9, Number.NaN, null, {}, 'constructor', '__proto__'].map(levelOf)).toEqual(Array(8).fill(null));
});

it('takes a line without a level for information', () => {
    expect([reaches(null, 'info'), reaches(null, 'warn'), reaches('debug', 'info'), reaches('trace', 'all')]).toEqual([true, false, false, true]);
});

it('knows the frames of a stack', () => {
    expect(['\tat com.example.A.b(A.java:1)', '    raise ValueError', 'Caused by: x', '... 12 more', 'next', '', '   '].map(goesOn)).toEqual([true, true, true, true, false, false, false]);
});

it('takes no longer for lines made to be slow', () => {
    const lines = ['['.repeat(60_000), `${'a: '.repeat(20_000)}`, ' '.repeat(60_000), `[${' '.repeat(60_000)}`, 'E'.repeat(60_000)];
    for (const line of lines) expect(levelOfLine(line)).toBeNull();
});
