// One key of the engine's configuration: what the engine says of it, and its
// value as text that a person types. Pure.
import { isObject, type Json } from './document';

export type Kind = 'flag' | 'text' | 'number' | 'list' | 'map' | 'size';

/** As the engine tells it. */
export interface Setting {
    readonly Name: string;
    readonly Kind: Kind;
    /** Takes effect without a restart of the engine. */
    readonly Live: boolean;
    /** Given on the command line: the file cannot have it too. */
    readonly Flag: boolean;
    /** What is in effect. */
    readonly Value: Json;
    readonly Help: string;
}

export type Wrong = 'number' | 'size' | 'pair' | 'pair-twice' | 'switch';
export type Typed = { readonly value: Json | undefined; readonly wrong: null } | { readonly value: null; readonly wrong: Wrong };

/** Maps whose values are no text: objects are for the file's own text. */
const OF_OBJECTS = new Set(['default-ulimits', 'runtimes', 'default-network-opts']);
const OF_SWITCHES = new Set(['features']);
const SIZE = /^\d+(?:\.\d+)?\s*(?:[kmgt]i?b?|b)?$/i;

type Named = Pick<Setting, 'Name' | 'Kind'>;

/** The value as text, lists and maps one a line; null where no field can say it. */
export function asText({ Name, Kind }: Named, value: Json | undefined): string | null {
    if (Kind === 'map' && OF_OBJECTS.has(Name)) return null;
    if (value === undefined || value === null) return '';
    switch (Kind) {
        case 'list':
            return Array.isArray(value) && value.every((one) => typeof one === 'string' && !/[\r\n]/.test(one) && one.trim() === one && one !== '') ? value.join('\n') : null;
        case 'map': {
            if (!isObject(value)) return null;
            const kind = OF_SWITCHES.has(Name) ? 'boolean' : 'string';
            const pairs = Object.entries(value);
            const plain = pairs.every(([name, one]) => typeof one === kind && /^[^=\s]+$/.test(name) && !/[\r\n]/.test(String(one)) && String(one).trim() === String(one));
            return plain ? pairs.map(([name, one]) => `${name}=${String(one)}`).join('\n') : null;
        }
        case 'flag':
            return typeof value === 'boolean' ? (value ? 'on' : 'off') : null;
        case 'number':
            return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : null;
        case 'size':
            return typeof value === 'number' || typeof value === 'string' ? String(value) : null;
        case 'text':
            return typeof value === 'string' && !/[\r\n]/.test(value) ? value : null;
    }
}

/** What was typed, as the file says it; nothing typed is nothing said. */
export function typed({ Name, Kind }: Named, text: string): Typed {
    const trimmed = text.trim();
    if (trimmed === '') return said(undefined);
    switch (Kind) {
        case 'list':
            return said(linesOf(text));
        case 'map':
            return pairsOf(linesOf(text), OF_SWITCHES.has(Name));
        case 'flag':
            return trimmed === 'on' || trimmed === 'off' ? said(trimmed === 'on') : wrong('switch');
        case 'number':
            return /^-?\d{1,15}$/.test(trimmed) ? said(Number(trimmed)) : wrong('number');
        case 'size':
            return SIZE.test(trimmed) ? said(trimmed) : wrong('size');
        case 'text':
            return said(text);
    }
}

function pairsOf(lines: readonly string[], switches: boolean): Typed {
    const pairs: [string, Json][] = [];
    for (const line of lines) {
        const at = line.indexOf('=');
        const [name, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
        if (at < 1 || /\s/.test(name)) return wrong('pair');
        if (pairs.some(([other]) => other === name)) return wrong('pair-twice');
        if (switches && value !== 'true' && value !== 'false') return wrong('switch');
        pairs.push([name, switches ? value === 'true' : value]);
    }
    return said(Object.fromEntries(pairs));
}

const said = (value: Json | undefined): Typed => ({ value, wrong: null });
const wrong = (what: Wrong): Typed => ({ value: null, wrong: what });
const linesOf = (text: string) => text.split('\n').map((line) => line.trim()).filter((line) => line !== '');

/** A value in one line, for people. */
export function shown(value: Json | undefined): string {
    if (value === undefined || value === null) return '';
    if (typeof value === 'string') return value;
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ');
    return JSON.stringify(value);
}

/** What a key is about. */
export const GROUPS = ['registries', 'containers', 'network', 'proxies', 'listening', 'places', 'talk', 'other'] as const;
export type Group = (typeof GROUPS)[number];

const MEMBERS: readonly (readonly [Group, RegExp])[] = [
    ['registries', /^(?:registry-|insecure-registries|max-)/],
    ['proxies', /^proxies(?:\.|$)/],
    ['listening', /^(?:hosts?|group|tls.*|allow-insecure-tcp)$/],
    ['places', /^(?:data-root|exec-root|pidfile|shim-path|storage-.*)$/],
    ['talk', /^(?:debug|log-level|log-format)$/],
    ['containers', /^(?:log-|default-(?:shm|ulimits|runtime|cgroup|ipc)|init|live-restore|shutdown-|cgroup-|features|runtimes|selinux|experimental|labels)/],
    ['network', /^(?:bridge|bip6?|mtu|ip.*|dns.*|icc|userland-proxy|nft-table|fixed-cidr.*|default-(?:gateway|address|network).*)$/],
];

export const groupOf = (name: string): Group => MEMBERS.find(([, member]) => member.test(name))?.[0] ?? 'other';
