// Takes secrets out of what is about to leave the machine. It errs on the side
// of removing: values of environment variables go unless they are known to be
// harmless, and so does everything that looks like a credential.

export const REMOVED = '‹removed›';

const HARMLESS = new Set(['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TERM', 'HOSTNAME', 'PWD', 'SHELL', 'DEBIAN_FRONTEND']);
const SECRET_KEY = /pass(?:word|wd|phrase)?|secret|token|api[-_.]?key|access[-_.]?key|private[-_.]?key|credential|cookie|session|auth(?!or)|signature|\bdsn\b|connection[-_.]?string/i;
const TEXT: readonly (readonly [RegExp, string])[] = [
    // user:password@ in an address.
    [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+@/gi, `$1${REMOVED}@`],
    [/\b(bearer|basic|token)\s+[A-Za-z0-9+/._~=-]{8,}/gi, `$1 ${REMOVED}`],
    // --password=x, --token x, password: x, API_KEY=x
    [/((?:^|[\s'",;&?{([-])[\w.-]*(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?)["']?\s*(?:=|:\s*|\s)\s*["']?)([^\s'",;&}\])]+)/gi, `$1${REMOVED}`],
    [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, REMOVED],
    [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, REMOVED],
    [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}\b/g, REMOVED],
];

export function redactText(text: string): string {
    return TEXT.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
}

/** The same value without secrets: by key, by shape, and all the way down. */
export function redact(value: unknown, key = ''): unknown {
    if (typeof value === 'string') {
        if (SECRET_KEY.test(key) && value !== '') return REMOVED;
        return redactText(value);
    }
    if (Array.isArray(value)) {
        if (/^env$/i.test(key)) return value.map((entry) => (typeof entry === 'string' ? redactVariable(entry) : redact(entry)));
        return afterFlags(value).map((entry) => redact(entry, key));
    }
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [redactText(name), redact(entry, name)]));
}

function redactVariable(entry: string): string {
    const at = entry.indexOf('=');
    if (at === -1) return entry;
    const name = entry.slice(0, at);
    return HARMLESS.has(name) ? `${name}=${redactText(entry.slice(at + 1))}` : `${name}=${REMOVED}`;
}

/** In a command's words the secret stands after its flag: ["--password", "x"]. */
function afterFlags(words: readonly unknown[]): unknown[] {
    return words.map((word, index) => {
        const before = words[index - 1];
        const secret = typeof before === 'string' && /^-{1,2}[\w-]+$/.test(before) && SECRET_KEY.test(before);
        return secret && typeof word === 'string' && !word.startsWith('-') ? REMOVED : word;
    });
}
