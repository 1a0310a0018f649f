// Published ports, each once, as links where a browser may open them.
import type { Schemas } from '$lib/api/client';

export interface Port {
    readonly key: string;
    /** ":8080 → 80", ":53 → 53/udp": the port first, which is what one looks for. */
    readonly label: string;
    /** With the address, and what it is called in a link: "10.0.0.5:8080 → 80/tcp". */
    readonly detail: string;
    readonly href: string | null;
    readonly hostPort: number;
    /** Reachable from other machines. */
    readonly open: boolean;
}

/** Ports that speak something which no browser shows. */
const NOT_FOR_BROWSERS = new Set([21, 22, 23, 25, 53, 110, 143, 389, 445, 465, 587, 993, 995, 1433, 1521, 1883, 2181, 3306, 3389, 4222, 5432, 5672, 6379, 9042, 9092, 11211, 27017]);
const SECURE = new Set([443, 8443, 9443]);
const EVERYWHERE = new Set(['', '0.0.0.0', '::']);
const LOOPBACK = /^(?:127\.|::1$)/;

export function portsOf(ports: readonly Schemas['PortSummary'][]): Port[] {
    const seen = new Map<string, Port>();
    for (const { IP = '', PrivatePort: inside, PublicPort: outside, Type = 'tcp' } of ports) {
        if (outside === undefined || outside === 0) continue;
        const everywhere = EVERYWHERE.has(IP);
        // IPv4 and IPv6 of the same publishing are one line.
        const key = `${everywhere ? '*' : IP}:${outside}:${inside}/${Type}`;
        if (seen.has(key)) continue;
        seen.set(key, {
            key,
            label: `:${outside} → ${inside}${Type === 'tcp' ? '' : `/${Type}`}`,
            detail: `${bracketed(IP || '0.0.0.0')}:${outside} → ${inside}/${Type}`,
            href: Type === 'tcp' && !NOT_FOR_BROWSERS.has(inside) ? link(everywhere ? 'localhost' : IP, outside, inside) : null,
            hostPort: outside,
            open: !LOOPBACK.test(IP),
        });
    }
    return [...seen.values()].sort((a, b) => a.hostPort - b.hostPort || a.key.localeCompare(b.key));
}

function link(ip: string, outside: number, inside: number): string {
    const scheme = SECURE.has(inside) || SECURE.has(outside) ? 'https' : 'http';
    return `${scheme}://${bracketed(ip)}:${outside}/`;
}

const bracketed = (ip: string) => (ip.includes(':') ? `[${ip}]` : ip);
