import { describe, expect, it } from 'vitest';
import { portsOf } from './ports';
import { rowOf } from './row';
import { allowed, exitCodeOf, healthOf, isCrash, stateOf, toneOf } from './state';

describe('a row', () => {
    it('takes its own name, not that of a link', () => {
        expect(rowOf({ Names: ['/web/db', '/db'] } as never).name).toBe('db');
        expect(rowOf({ Id: '0123456789abcdef' } as never).name).toBe('0123456789ab');
    });
});

describe('ports', () => {
    it('are shown once for both kinds of addresses, and open where a browser may', () => {
        expect(
            portsOf([
                { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
                { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
                { IP: '127.0.0.1', PrivatePort: 5432, PublicPort: 5432, Type: 'tcp' },
                { IP: '10.0.0.5', PrivatePort: 443, PublicPort: 8443, Type: 'tcp' },
                { IP: '0.0.0.0', PrivatePort: 53, PublicPort: 53, Type: 'udp' },
                { PrivatePort: 9000, Type: 'tcp' },
            ]).map(({ label, href, open, detail }) => [label, href, open, detail]),
        ).toEqual([
            [':53 → 53/udp', null, true, '0.0.0.0:53 → 53/udp'],
            [':5432 → 5432', null, false, '127.0.0.1:5432 → 5432/tcp'],
            [':8080 → 80', 'http://localhost:8080/', true, '0.0.0.0:8080 → 80/tcp'],
            [':8443 → 443', 'https://10.0.0.5:8443/', true, '10.0.0.5:8443 → 443/tcp'],
        ]);
    });

    it('have brackets around addresses that have colons', () => {
        expect(portsOf([{ IP: 'fd00::5', PrivatePort: 80, PublicPort: 81, Type: 'tcp' }])[0]?.href).toBe('http://[fd00::5]:81/');
    });
});

describe('a state', () => {
    it('is read from the words of the list', () => {
        expect(['Up 2 hours (healthy)', 'Up 1 second (health: starting)', 'Up 1 day (unhealthy)', 'Up 3 seconds'].map(healthOf)).toEqual(['healthy', 'starting', 'unhealthy', 'none']);
        expect(exitCodeOf('Exited (137) 2 minutes ago')).toBe(137);
        expect(exitCodeOf('Up 137 minutes')).toBeNull();
        expect(stateOf('something new')).toBe('exited');
    });

    it('is no crash where somebody stopped it', () => {
        expect([0, 1, 130, 137, 143].map((code) => isCrash('exited', code))).toEqual([false, true, false, true, false]);
        expect(toneOf('exited', 'none', 1)).toBe('bad');
        expect(toneOf('running', 'unhealthy', null)).toBe('bad');
    });

    it('allows what the engine would do', () => {
        expect(allowed('paused', 'unpause')).toBe(true);
        expect(allowed('paused', 'pause')).toBe(false);
        expect(allowed('created', 'stop')).toBe(false);
        expect(allowed('removing', 'remove')).toBe(false);
    });
});
