import { expect, it } from 'vitest';
import { refused, wordsOfCommand } from './session';

it.each([
    ['psql -U me', ['psql', '-U', 'me']],
    ['  sh -c "echo \\"a b\\" \'c\'"  ', ['sh', '-c', 'echo "a b" \'c\'']],
    ["echo 'a\\b' c\\ d ''", ['echo', 'a\\b', 'c d', '']],
    ['', []],
])('takes %j apart', (line, words) => {
    expect(wordsOfCommand(line)).toEqual(words);
});

it('knows a program that could not be started from one that failed', () => {
    expect(refused(127, 'OCI runtime exec failed: exec failed: ... no such file or directory: unknown')).toBe(true);
    expect(refused(127, 'sh: nosuch: not found')).toBe(false);
    expect(refused(0, 'OCI runtime exec failed')).toBe(false);
});
