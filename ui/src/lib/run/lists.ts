// Fields of the form that are lists, as they are typed: words with spaces
// between, or one a line where a space may be part of one.
import type { RunForm } from './form';

const WORDS = ['capabilitiesAdded', 'capabilitiesDropped', 'hosts', 'dns', 'dnsSearch', 'dnsOptions', 'ulimits'] as const;
const LINES = ['devices', 'sysctls', 'security', 'logOptions'] as const;

export type ListName = (typeof WORDS)[number] | (typeof LINES)[number];
export type TypedLists = Record<ListName, string>;

export function typedOf(form: RunForm): TypedLists {
    const entries = [...WORDS.map((name) => [name, form[name].join(' ')]), ...LINES.map((name) => [name, form[name].join('\n')])];
    return Object.fromEntries(entries) as TypedLists;
}

export function listsOf(typed: TypedLists): Pick<RunForm, ListName> {
    const entries = [...WORDS.map((name) => [name, taken(typed[name], /\s+/)]), ...LINES.map((name) => [name, taken(typed[name], /\n/)])];
    return Object.fromEntries(entries) as Pick<RunForm, ListName>;
}

const taken = (text: string, between: RegExp) => text.split(between).map((part) => part.trim()).filter((part) => part !== '');
