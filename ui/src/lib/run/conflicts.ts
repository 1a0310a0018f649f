// Who holds a port that the form wants, before the engine finds out; and which
// field an error of the engine's is about, after it has.
import type { Row } from '$lib/containers/row';
import { bindingsOf, portPlace, type Binding, type Place } from './create';
import type { RunForm } from './form';

export interface Holder {
    readonly port: number;
    readonly protocol: string;
    /** The container that has it; null is another line of this form. */
    readonly container: string | null;
}

const EVERYWHERE = new Set(['', '0.0.0.0', '::', '*']);

/** By line of the form. Stopped containers hold nothing. */
export function conflictsOf(form: RunForm, containers: readonly Row[]): Map<number, Holder> {
    const held = containers.flatMap((row) =>
        (row.summary.Ports ?? []).flatMap(({ IP = '', PublicPort, Type = 'tcp' }) =>
            PublicPort === undefined || PublicPort === 0 ? [] : [{ container: row.name, address: IP, port: PublicPort, protocol: Type }],
        ),
    );
    const conflicts = new Map<number, Holder>();
    const mine: Binding[] = [];
    for (const [line, port] of form.ports.entries()) {
        const bindings = bindingsOf(port, line);
        if (typeof bindings === 'string') continue;
        for (const binding of bindings) {
            if (binding.outside === 0 || conflicts.has(line)) continue;
            const { outside, protocol, address } = binding;
            const other = held.find((one) => one.port === outside && one.protocol === protocol && overlap(one.address, address));
            const own = mine.find((one) => one.outside === outside && one.protocol === protocol && overlap(one.address, address));
            if (other !== undefined) conflicts.set(line, { port: outside, protocol, container: other.container });
            else if (own !== undefined) conflicts.set(line, { port: outside, protocol, container: null });
        }
        mine.push(...bindings);
    }
    return conflicts;
}

/** IPv4 and IPv6 wildcards are told apart by the engine, but both mean: here. */
function overlap(a: string, b: string): boolean {
    return a === b || EVERYWHERE.has(a) || EVERYWHERE.has(b);
}

export type Blame =
    | { readonly place: Place; readonly kind: 'engine' }
    /** A port that no container holds. */
    | { readonly place: Place; readonly kind: 'port'; readonly port: number; readonly holder: string | null }
    | { readonly place: null; readonly kind: 'engine' };

const RULES: readonly (readonly [RegExp, Place])[] = [
    [/container name .* is already in use/i, 'name'],
    [/invalid container name/i, 'name'],
    [/no such image|pull access denied|manifest (?:for .* )?(?:not found|unknown)|repository .* not found|invalid reference format|no matching manifest/i, 'image'],
    [/unable to find (?:user|group)|no matching entries in passwd|invalid (?:user|group)/i, 'user'],
    [/network .* not found|no such network/i, 'network'],
    [/device driver|\bgpus?\b|capabilities: \[\[gpu/i, 'gpus'],
    [/ulimit|rlimit/i, 'ulimits'],
    [/sysctl/i, 'sysctls'],
    [/security.?opt|seccomp|apparmor|no-new-privileges|selinux/i, 'security'],
    [/log(?:ging)? driver|log(?:ging)? opt|max-size|max-file/i, 'logDriver'],
    [/health/i, 'healthCommand'],
    [/\bdns\b|nameserver|name server/i, 'dns'],
    [/\bdevices?\b|\/dev\//i, 'devices'],
    [/add-host|extra host/i, 'hosts'],
    [/memory limit|memory/i, 'memory'],
    [/range of cpus|cpus/i, 'cpus'],
    [/hostname/i, 'hostname'],
    [/working directory|\bcwd\b|chdir/i, 'workdir'],
    [/restart polic|maximum retry/i, 'restart'],
    [/executable file not found|no such file or directory.*(?:exec|entrypoint)|exec.*(?:no such file or directory|permission denied|format error)/i, 'command'],
    [/no command specified/i, 'command'],
];

/** Where an error of the engine's belongs. */
export function blame(message: string, form: RunForm, containers: readonly Row[]): Blame {
    const port = portOfError(message);
    if (port !== null) {
        const line = form.ports.findIndex((one, index) => {
            const bindings = bindingsOf(one, index);
            return typeof bindings !== 'string' && bindings.some((binding) => binding.outside === port);
        });
        const holder = containers.find((row) => (row.summary.Ports ?? []).some((one) => one.PublicPort === port));
        if (line !== -1) return { place: portPlace(line), kind: 'port', port, holder: holder?.name ?? null };
    }
    for (const [index, mount] of form.mounts.entries()) {
        const about = [mount.source, mount.target].filter((part) => part.length > 1);
        if (/mount|bind|volume|path/i.test(message) && about.some((part) => message.includes(part))) return { place: `mount:${index}`, kind: 'engine' };
    }
    for (const [pattern, place] of RULES) if (pattern.test(message)) return { place, kind: 'engine' };
    return { place: null, kind: 'engine' };
}

/** "Bind for 0.0.0.0:8080 failed: port is already allocated", "listen tcp4 0.0.0.0:8080: bind: address already in use". */
export function portOfError(message: string): number | null {
    if (!/already (?:allocated|in use)|permission denied|cannot assign requested address|cannot expose|failed to bind/i.test(message)) return null;
    const found = /(?:[\d.]+|\]|::):(\d{1,5})\b/.exec(message) ?? /\bport (\d{1,5})\b/.exec(message);
    return found === null ? null : Number(found[1]);
}
