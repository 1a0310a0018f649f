// A line of `docker run` read into the form. Flags that the form has no field
// for are kept as they were written, so that nothing is lost and all is named.
import { blank, type MountLine, type PairLine, type PortLine, type Protocol, type RunForm } from './form';
import type { ListName } from './lists';
import { SAME, SHORT, SWITCHES, VALUED } from './flags';
import { join, quote, split } from './shell';

export type Problem =
    /** No `docker run` at its beginning. */
    | { readonly kind: 'not-run' }
    | { readonly kind: 'quote' }
    | { readonly kind: 'no-image' }
    /** A flag that docker does not have. */
    | { readonly kind: 'unknown'; readonly flag: string }
    | { readonly kind: 'no-value'; readonly flag: string }
    | { readonly kind: 'bad-value'; readonly flag: string; readonly value: string };

export interface Parsed {
    readonly form: RunForm;
    readonly problems: readonly Problem[];
}

type Draft = { -readonly [K in keyof RunForm]: RunForm[K] };

const PROGRAMS = new Set(['docker', 'dhow', 'podman', 'nerdctl']);

export const looksLikeRun = (text: string): boolean => /^\s*(?:\$\s+)?(?:sudo\s+)?(?:docker|dhow|podman|nerdctl)\s+(?:container\s+)?run\s/.test(text);

export function parseLine(line: string): Parsed {
    const { words, error } = split(line);
    const problems: Problem[] = error === null ? [] : [{ kind: 'quote' }];
    const rest = afterRun(words);
    if (rest === null) return { form: blank, problems: [...problems, { kind: 'not-run' }] };
    const draft: Draft = { ...blank };
    let at = 0;
    while (at < rest.length) {
        const word = rest[at] as string;
        if (word === '--') {
            at += 1;
            break;
        }
        if (!word.startsWith('-') || word === '-') break;
        at += word.startsWith('--') ? long(draft, rest, at, problems) : short(draft, rest, at, problems);
    }
    const [image, ...command] = rest.slice(at);
    if (image === undefined) problems.push({ kind: 'no-image' });
    draft.image = image ?? '';
    draft.command = join(command);
    return { form: draft, problems };
}

function afterRun(words: readonly string[]): readonly string[] | null {
    let at = 0;
    // A prompt that was copied along.
    if (words[at] === '$' || words[at] === '#') at += 1;
    if (words[at] === 'sudo') at += 1;
    const program = words[at]?.split('/').at(-1) ?? '';
    if (!PROGRAMS.has(program)) return null;
    at += 1;
    if (words[at] === 'container') at += 1;
    return words[at] === 'run' ? words.slice(at + 1) : null;
}

/** Takes one long flag; returns how many words it was. */
function long(draft: Draft, words: readonly string[], at: number, problems: Problem[]): number {
    const word = words[at] as string;
    const equals = word.indexOf('=');
    const written = equals === -1 ? word.slice(2) : word.slice(2, equals);
    const name = SAME[written] ?? written;
    const given = equals === -1 ? undefined : word.slice(equals + 1);
    if (SWITCHES.has(name)) {
        toggle(draft, name, given ?? 'true', problems);
        return 1;
    }
    if (!VALUED.has(name)) {
        problems.push({ kind: 'unknown', flag: `--${written}` });
        draft.others = [...draft.others, [word]];
        return 1;
    }
    const value = given ?? words[at + 1];
    if (value === undefined) problems.push({ kind: 'no-value', flag: `--${written}` });
    else set(draft, name, value, `--${written}`, problems);
    return given === undefined ? 2 : 1;
}

/** Takes short flags in one word: `-it`, `-p8080:80`, `-e=A=B`. */
function short(draft: Draft, words: readonly string[], at: number, problems: Problem[]): number {
    const word = words[at] as string;
    for (let letter = 1; letter < word.length; letter += 1) {
        const flag = `-${word[letter]}`;
        const name = SHORT[word[letter] as string];
        if (name === undefined) {
            problems.push({ kind: 'unknown', flag });
            draft.others = [...draft.others, [`-${word.slice(letter)}`]];
            return 1;
        }
        const rest = word.slice(letter + 1);
        if (SWITCHES.has(name)) {
            if (rest.startsWith('=')) {
                toggle(draft, name, rest.slice(1), problems);
                return 1;
            }
            toggle(draft, name, 'true', problems);
            continue;
        }
        const value = rest === '' ? words[at + 1] : rest.replace(/^=/, '');
        if (value === undefined) problems.push({ kind: 'no-value', flag });
        else set(draft, name, value, flag, problems);
        return rest === '' ? 2 : 1;
    }
    return 1;
}

const FIELDS: Readonly<Record<string, 'init' | 'interactive' | 'noHealth' | 'privileged' | 'publishAll' | 'readOnly' | 'remove' | 'terminal'>> = {
    init: 'init',
    interactive: 'interactive',
    'no-healthcheck': 'noHealth',
    privileged: 'privileged',
    'publish-all': 'publishAll',
    'read-only': 'readOnly',
    rm: 'remove',
    tty: 'terminal',
};

function toggle(draft: Draft, name: string, value: string, problems: Problem[]): void {
    if (!/^(?:1|t|true|0|f|false)$/i.test(value)) {
        problems.push({ kind: 'bad-value', flag: `--${name}`, value });
        return;
    }
    const on = /^(?:1|t|true)$/i.test(value);
    const field = FIELDS[name];
    // The window starts everything in the background, and is quiet.
    if (field !== undefined) draft[field] = on;
    else if (on && !['detach', 'quiet', 'disable-content-trust', 'sig-proxy'].includes(name)) draft.others = [...draft.others, [`--${name}`]];
}

function set(draft: Draft, name: string, value: string, flag: string, problems: Problem[]): void {
    const keep = () => (draft.others = [...draft.others, [`--${name}`, value]]);
    const wrong = () => {
        problems.push({ kind: 'bad-value', flag, value });
        keep();
    };
    switch (name) {
        case 'name':
        case 'user':
        case 'workdir':
        case 'hostname':
        case 'entrypoint':
        case 'memory':
        case 'cpus':
        case 'platform':
            draft[name] = value;
            break;
        case 'network':
            // Several networks, or options between commas, are more than one field says.
            if (draft.network !== '' || value.includes(',')) keep();
            else draft.network = value;
            break;
        case 'pull':
            if (value === 'missing' || value === 'always' || value === 'never') draft.pull = value;
            else wrong();
            break;
        case 'restart': {
            const found = /^(no|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(value);
            if (found === null || (found[2] !== undefined && found[1] !== 'on-failure')) wrong();
            else [draft.restart, draft.retries] = [found[1] as RunForm['restart'], found[2] ?? ''];
            break;
        }
        case 'publish': {
            const port = portOf(value);
            if (port === null) wrong();
            else draft.ports = [...draft.ports, port];
            break;
        }
        case 'env': {
            const pair = pairOf(value);
            // Without a value it is taken from the terminal's environment, which is not here.
            if (pair === null) keep();
            else draft.environment = [...draft.environment, pair];
            break;
        }
        case 'label':
            draft.labels = [...draft.labels, pairOf(value) ?? { name: value, value: '' }];
            break;
        case 'volume':
            draft.mounts = [...draft.mounts, volumeOf(value)];
            break;
        case 'tmpfs':
            draft.mounts = [...draft.mounts, tmpfsOf(value)];
            break;
        case 'mount': {
            const mount = mountOf(value);
            if (mount === null) keep();
            else draft.mounts = [...draft.mounts, mount];
            break;
        }
        default: {
            const list = LISTS[name];
            const text = TEXTS[name];
            if (list !== undefined) draft[list] = [...draft[list], value];
            else if (text !== undefined) draft[text] = value;
            else keep();
        }
    }
}

/** Flags that may come several times, as they are. */
const LISTS: Readonly<Record<string, ListName>> = {
    'add-host': 'hosts',
    'cap-add': 'capabilitiesAdded',
    'cap-drop': 'capabilitiesDropped',
    device: 'devices',
    dns: 'dns',
    'dns-option': 'dnsOptions',
    'dns-search': 'dnsSearch',
    'log-opt': 'logOptions',
    'security-opt': 'security',
    sysctl: 'sysctls',
    ulimit: 'ulimits',
};

/** Flags of which the last one counts. */
const TEXTS: Readonly<Record<string, 'gpus' | 'logDriver' | 'healthCommand' | 'healthInterval' | 'healthTimeout' | 'healthRetries' | 'healthStartPeriod' | 'healthStartInterval'>> = {
    gpus: 'gpus',
    'log-driver': 'logDriver',
    'health-cmd': 'healthCommand',
    'health-interval': 'healthInterval',
    'health-timeout': 'healthTimeout',
    'health-retries': 'healthRetries',
    'health-start-period': 'healthStartPeriod',
    'health-start-interval': 'healthStartInterval',
};

function pairOf(text: string): PairLine | null {
    const at = text.indexOf('=');
    return at < 1 ? null : { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** [address:][outside:]inside[/protocol] */
export function portOf(text: string): PortLine | null {
    const found = /^(?:(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/]*)):(?=[^:]*:))?(?:([\d-]*):)?([\d-]+)(?:\/(tcp|udp|sctp))?$/i.exec(text);
    if (found === null) return null;
    const [, bracketed, plain, outside = '', inside = '', protocol = 'tcp'] = found;
    return { address: bracketed ?? plain ?? '', outside, inside, protocol: protocol.toLowerCase() as Protocol };
}

function volumeOf(text: string): MountLine {
    const parts = text.split(':');
    if (parts.length === 1) return { kind: 'volume', source: '', target: text, readOnly: false, options: '' };
    const [source = '', target = '', ...more] = parts;
    const options = more.join(':').split(',').filter((option) => option !== '');
    return {
        kind: /^[/~.]/.test(source) ? 'bind' : 'volume',
        source,
        target,
        readOnly: options.includes('ro'),
        options: options.filter((option) => option !== 'ro' && option !== 'rw').join(','),
    };
}

function tmpfsOf(text: string): MountLine {
    const at = text.indexOf(':');
    const options = at === -1 ? [] : text.slice(at + 1).split(',').filter((option) => option !== '');
    return {
        kind: 'tmpfs',
        source: '',
        target: at === -1 ? text : text.slice(0, at),
        readOnly: options.includes('ro'),
        options: options.filter((option) => option !== 'ro').join(','),
    };
}

/** The long form, where it says no more than a line of the form does. */
function mountOf(text: string): MountLine | null {
    const mount = { kind: 'volume' as MountLine['kind'], source: '', target: '', readOnly: false, options: '' };
    for (const field of csvFields(text)) {
        const at = field.indexOf('=');
        const key = (at === -1 ? field : field.slice(0, at)).toLowerCase();
        const value = at === -1 ? 'true' : field.slice(at + 1);
        if (key === 'type' && (value === 'volume' || value === 'bind' || value === 'tmpfs')) mount.kind = value;
        else if (key === 'source' || key === 'src') mount.source = value;
        else if (key === 'target' || key === 'dst' || key === 'destination') mount.target = value;
        else if ((key === 'readonly' || key === 'ro') && /^(?:true|1|false|0)$/.test(value)) mount.readOnly = value === 'true' || value === '1';
        else return null;
    }
    return mount.target === '' || (mount.kind === 'tmpfs' && mount.source !== '') ? null : mount;
}

export function csvFields(text: string): string[] {
    const fields = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)];
    return fields.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

/** A flag that was kept, as it is shown. */
export const shownAs = (words: readonly string[]): string => words.map(quote).join(' ');
