import { expect, it } from 'vitest';
import { wordsOfCommand } from './session';

it.each([
    ['psql -U me', ['psql', '-U', 'me']],
    ['  sh -c "echo \\"a b\\" \'c\'"  ', ['sh', '-c', 'echo "a b" \'c\'']],
    ["echo 'a\\b' c\\ d ''", ['echo', 'a\\b', 'c d', '']],
    ['', []],
])('takes %j apart', (line, words) => {
    expect(wordsOfCommand(line)).toEqual(words);
});
