import { describe, expect, it } from 'vitest';
import { redact, redactText, REMOVED } from './redact';

describe('redact', () => {
    it('keeps names of variables, and values of those that are known to be harmless', () => {
        expect(redact({ Config: { Env: ['PATH=/bin', 'DB_PASSWORD=hunter2', 'COLOUR=red', 'FLAG'] } })).toEqual({
            Config: { Env: ['PATH=/bin', `DB_PASSWORD=${REMOVED}`, `COLOUR=${REMOVED}`, 'FLAG'] },
        });
    });

    it('removes what has a telling key, at any depth', () => {
        expect(redact({ a: [{ ApiKey: 'x', Author: 'me', token: '', n: 5 }] })).toEqual({ a: [{ ApiKey: REMOVED, Author: 'me', token: '', n: 5 }] });
    });

    it('removes what follows a flag', () => {
        expect(redact({ Cmd: ['psql', '--password', 'hunter2', '-v'] })).toEqual({ Cmd: ['psql', '--password', REMOVED, '-v'] });
    });
});

it.each([
    ['http://me:hunter2@proxy:3128/x'],
    ['Authorization: Bearer hunter2hunter2'],
    ['mysql --password=hunter2 -h db'],
    ['{"api_key":"hunter2"}'],
    ['token: hunter2'],
    ['x eyJhbGciOiJI.eyJzdWIihunter2.c2ln'],
    ['-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----'],
    ['key ghp_hunter2hunter2hunter2hunter2'],
])('takes the secret out of %j', (text) => {
    const rest = redactText(text);
    expect(rest).toContain(REMOVED);
    expect(rest).not.toContain('hunter2');
});

it('leaves plain text as it was', () => {
    const text = 'http://localhost:8080/ docker run -p 80:80 nginx:1 sh -c "echo passed 5 tests"';
    expect(redactText(text)).toBe(text);
});
