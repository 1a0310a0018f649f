// A line as its logger meant it: a level, a message and fields. Knows JSON,
// logfmt, and plain words. What a line holds is hostile: it may claim any key,
// any depth, any size; nothing of it is ever more than text.
import { wordsOf } from './ansi';
import { levelOf, levelOfLine, type Level } from './level';

export interface Field {
    readonly name: string;
    readonly value: string;
}

export interface LogRecord {
    readonly format: 'json' | 'logfmt' | 'plain';
    readonly level: Level | null;
    readonly message: string;
    /** What is neither level, message nor time, as it came. */
    readonly fields: readonly Field[];
}

const LEVEL_KEYS = ['level', 'lvl', 'severity', 'levelname', 'loglevel', 'log.level', '@level', 'severity_text', 'severityText', 'log_level'];
const MESSAGE_KEYS = ['msg', 'message', '@message', 'event', 'text', 'body', 'error', 'err'];
const TIME_KEYS = new Set(['time', 'ts', 'timestamp', '@timestamp', 't', 'datetime', '@t', 'asctime']);
const MOST_FIELDS = 200;
const LONGEST_VALUE = 4_096;

/** Takes the words of a line apart, without colours. */
export function recordOf(words: string): LogRecord {
    return jsonRecord(words) ?? logfmtRecord(words) ?? { format: 'plain', level: levelOfLine(words), message: words, fields: [] };
}

/** The level alone: what filtering asks of every line. */
export function levelOfWords(words: string): Level | null {
    const first = words.charCodeAt(0);
    // Only these can be JSON or logfmt, which take longer to read.
    if (first === 123 || first === 32 || LOGFMT_START.test(words)) return recordOf(words).level;
    return levelOfLine(words);
}

/** What a record looks like in one line, and what is searched. */
export function lineOf(record: LogRecord): string {
    if (record.format !== 'json') return record.message;
    return [record.message, ...record.fields.map(fieldText)].filter((part) => part !== '').join('  ');
}

export const fieldText = ({ name, value }: Field): string => `${name}=${value}`;

function jsonRecord(words: string): LogRecord | null {
    const text = words.trim();
    if (!text.startsWith('{') || !text.endsWith('}')) return null;
    let parsed: unknown;
    try {
        parsed = JSON.parse(text);
    } catch {
        return null;
    }
    if (typeof parsed !== 'object' || parsed === null) return null;
    const entries = Object.entries(parsed);
    return entries.length === 0 ? null : assembled('json', entries);
}

/** `log.level` may be a key of its own or lie in `log`. */
function find(entries: readonly [string, unknown][], name: string): unknown {
    const direct = entries.find(([key]) => key === name);
    if (direct !== undefined) return direct[1];
    const [outer, inner] = name.split('.');
    if (inner === undefined) return undefined;
    const nested = entries.find(([key]) => key === outer)?.[1];
    if (typeof nested !== 'object' || nested === null) return undefined;
    return Object.entries(nested).find(([key]) => key === inner)?.[1];
}

function assembled(format: 'json' | 'logfmt', entries: readonly [string, unknown][]): LogRecord {
    const levelKey = LEVEL_KEYS.find((key) => levelOf(find(entries, key)) !== null);
    const messageKey = MESSAGE_KEYS.find((key) => entries.some(([name, value]) => name === key && typeof value === 'string'));
    const level = levelKey === undefined ? null : levelOf(find(entries, levelKey));
    const message = messageKey === undefined ? '' : shown(entries.find(([name]) => name === messageKey)?.[1]);
    const fields = entries
        .filter(([name]) => name !== messageKey && name !== levelKey && !TIME_KEYS.has(name))
        .slice(0, MOST_FIELDS)
        .map(([name, value]) => ({ name: wordsOf(name), value: shown(value) }));
    return { format, level, message, fields };
}

/** A value as text: one line, no control characters, no more than fits a look. */
function shown(value: unknown): string {
    let text: string;
    if (typeof value === 'string') text = value;
    else {
        try {
            text = JSON.stringify(value) ?? '';
        } catch {
            // Nested beyond what can be walked.
            text = '…';
        }
    }
    const short = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
    return wordsOf(short.replace(/\r?\n/g, ' ⏎ ').replace(/\t/g, ' '));
}

const LOGFMT_START = /^[A-Za-z_@][\w.@/-]{0,60}=/;
/** One pair, from where the last one ended. Neither part can match the other's: no backtracking. */
const PAIR = /\s*([A-Za-z_@][\w.@/-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)/y;

function logfmtRecord(words: string): LogRecord | null {
    if (!LOGFMT_START.test(words)) return null;
    const entries: [string, unknown][] = [];
    PAIR.lastIndex = 0;
    let at = 0;
    for (let found = PAIR.exec(words); found !== null; found = PAIR.exec(words)) {
        entries.push([found[1] ?? '', found[2] === undefined ? (found[3] ?? '') : found[2].replace(/\\(.)/g, unescaped)]);
        at = PAIR.lastIndex;
    }
    // All of it, or it is a sentence that happens to begin so.
    if (entries.length < 2 || words.slice(at).trim() !== '') return null;
    // It reads well as it is: the words stay, and the fields are known.
    return { ...assembled('logfmt', entries), message: words };
}

const unescaped = (_: string, letter: string) => (letter === 'n' ? '\n' : letter === 't' ? '\t' : letter);
