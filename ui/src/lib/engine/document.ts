// The engine's daemon.json as a document: what it says of a key, the same text
// with one key changed, what a change is, and two changes put together. Pure.
import { faultOf, type JsonFault } from '$lib/json/fault';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Document = Readonly<Record<string, Json>>;

export type Read = { readonly document: Document; readonly fault: null } | { readonly document: null; readonly fault: JsonFault | 'no-object' };

/** What is no map of the person's own, but holds keys. */
const NESTS: ReadonlySet<string> = new Set(['proxies']);

/** A dot in a key is the file's nesting: `proxies.http-proxy`. No key has one of its own. */
function parts(key: string): { group: string | undefined; name: string } {
    const dot = key.indexOf('.');
    return dot === -1 ? { group: undefined, name: key } : { group: key.slice(0, dot), name: key.slice(dot + 1) };
}

/** A file that is empty, or not there, says nothing. */
export function read(text: string): Read {
    if (text.trim() === '') return { document: {}, fault: null };
    const fault = faultOf(text);
    if (fault !== null) return { document: null, fault };
    const found = JSON.parse(text) as Json;
    return isObject(found) ? { document: found, fault: null } : { document: null, fault: 'no-object' };
}

/** What the file says of a key; undefined where it says nothing. */
export function saidOf(document: Document, key: string): Json | undefined {
    const { group, name } = parts(key);
    if (group === undefined) return document[name];
    const inside = document[group];
    return isObject(inside) ? inside[name] : undefined;
}

/** The same text with one key changed, in the order and with the indent that it had. */
export function withKey(text: string, key: string, value: Json | undefined): string {
    const { document } = read(text);
    if (document === null) return text;
    const { group, name } = parts(key);
    const next = put(document, group ?? name, group === undefined ? value : grouped(document[group], name, value));
    return written(next, text);
}

function grouped(before: Json | undefined, key: string, value: Json | undefined): Json | undefined {
    const next = put(isObject(before) ? before : {}, key, value);
    return Object.keys(next).length === 0 ? undefined : next;
}

function put(document: Document, key: string, value: Json | undefined): Document {
    if (value !== undefined) return { ...document, [key]: value };
    return Object.fromEntries(Object.entries(document).filter(([name]) => name !== key));
}

/** Four spaces where the text has no indent of its own. */
function written(document: Document, like: string): string {
    const indent = /^[ \t]+(?=")/m.exec(like)?.[0] ?? '    ';
    return `${JSON.stringify(document, null, indent)}\n`;
}

export interface Change {
    readonly key: string;
    readonly before: Json | undefined;
    readonly after: Json | undefined;
}

/** What one document says otherwise than another, by name. */
export function changesOf(before: Document, after: Document): Change[] {
    const [old, now] = [flat(before), flat(after)];
    const keys = [...new Set([...old.keys(), ...now.keys()])].sort();
    return keys.flatMap((key) => {
        const change = { key, before: old.get(key), after: now.get(key) };
        return same(change.before, change.after) ? [] : [change];
    });
}

/** Keys as the engine names them: groups taken apart. */
function flat(document: Document): Map<string, Json> {
    return new Map(
        Object.entries(document).flatMap(([key, value]) =>
            NESTS.has(key) && isObject(value)
                ? Object.entries(value).map(([name, one]): [string, Json] => [`${key}.${name}`, one])
                : [[key, value] as [string, Json]],
        ),
    );
}

export interface Merged {
    readonly text: string;
    /** Keys that both have changed, and not to the same: mine stand. */
    readonly both: readonly string[];
}

/** My changes of `base` put into `theirs`; null where one of the three is no document. */
export function merged(base: string, mine: string, theirs: string): Merged | null {
    const [from, my, their] = [read(base).document, read(mine).document, read(theirs).document];
    if (from === null || my === null || their === null) return null;
    const changed = new Map(changesOf(from, their).map((change) => [change.key, change.after]));
    let text = theirs;
    const both: string[] = [];
    for (const { key, after } of changesOf(from, my)) {
        if (changed.has(key) && !same(changed.get(key), after)) both.push(key);
        text = withKey(text, key, after);
    }
    return { text, both };
}

export function same(a: Json | undefined, b: Json | undefined): boolean {
    return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** The order of keys means nothing. */
function sorted(value: Json | undefined): Json | undefined {
    if (Array.isArray(value)) return value.map((one) => sorted(one as Json) ?? null);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key]) ?? null]));
}

export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}
