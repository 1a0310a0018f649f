// How grave a line is, by the words that loggers put into it. A guess that
// would rather say nothing: prose that speaks of errors is no error.

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

const NAMES: Record<Level, readonly string[]> = {
    trace: ['trace', 'trc', 'trce', 'verbose', 'finest', 'finer', 'silly'],
    debug: ['debug', 'dbg', 'dbug', 'fine', 'debug1', 'debug2', 'debug3', 'debug4', 'debug5'],
    info: ['info', 'inf', 'information', 'informational', 'notice', 'log', 'statement', 'default'],
    warn: ['warn', 'warning', 'wrn'],
    error: ['error', 'err', 'fail', 'failed', 'fatal', 'ftl', 'critical', 'crit', 'severe', 'panic', 'pnc', 'alert', 'emerg', 'emergency', 'dpanic'],
};
const BY_NAME = new Map(LEVELS.flatMap((level) => NAMES[level].map((name) => [name, level] as const)));

/** What a level's field has: a word, or pino's and bunyan's number. */
export function levelOf(value: unknown): Level | null {
    if (typeof value === 'string') return BY_NAME.get(value.trim().toLowerCase()) ?? null;
    if (typeof value !== 'number' || value < 10 || value > 100) return null;
    return LEVELS[Math.min(4, Math.floor(value / 10) - 1)] ?? null;
}

/** Only the beginning of a line says how grave it is. */
const HEAD = 160;
const CAPITALS = 'TRACE|TRC|VERBOSE|FINEST|FINER|DEBUG[1-5]?|DBG|FINE|INFO|INF|NOTICE|LOG|STATEMENT|WARN(?:ING)?|WRN|ERROR|ERR|FATAL|FTL|CRIT(?:ICAL)?|SEVERE|PANIC|PNC|ALERT|EMERG(?:ENCY)?';
/** In capitals, as a word of its own: `2026-01-02 10:11:12 WARN  slow`, `ERROR:root:no`, `npm ERR!`. */
const SHOUTED = new RegExp(`(?:^|[\\s\\[(<|:/-])(${CAPITALS})(?=$|[\\s\\])>|:,;!/-])`);
/** In brackets, however written: `[error] 12#12: …`, `[Warning] …`. */
const BRACKETED = /[[(<|]\s*([a-z]{3,13})\s*[\])>|]/gi;
/** First, with a colon: `error: no such file`, `warn: Microsoft…`, `fail: …`. */
const FIRST = /^(?:[\w.+-]{1,40}: )?([a-z]{3,13})(?:\[[\w.:]{1,20}\])?:(?=\s|$)/i;
/** Kubernetes' and glog's: `E0102 15:04:05.678901`. */
const GLOG = /^([IWEF])\d{4} \d\d:\d\d/;
const GLOG_LEVELS: Readonly<Record<string, Level>> = { I: 'info', W: 'warn', E: 'error', F: 'error' };
/** What a crash leaves behind has no level, and is grave. */
const CRASH = /^(?:Traceback \(most recent call last\)|Exception in thread |panic: |Unhandled (?:exception|rejection)|Segmentation fault|fatal error: )/;

/** Whether there is anything to look closer at: most lines are read no further. */
const ANY = /trace|trc|dbg|dbug|debug|inf|notice|log|statement|warn|wrn|err|fail|fatal|ftl|crit|severe|panic|pnc|alert|emerg|fine|verbose|silly|default|exception|unhandled|segmentation/i;

/** The level of a line of words, or null where it names none. */
export function levelOfLine(words: string): Level | null {
    const head = words.length > HEAD ? words.slice(0, HEAD) : words;
    const glog = GLOG.exec(head)?.[1];
    if (glog !== undefined) return GLOG_LEVELS[glog] ?? null;
    if (!ANY.test(head)) return null;
    if (CRASH.test(head)) return 'error';
    const first = FIRST.exec(head)?.[1];
    const byColon = first === undefined ? null : levelOf(first);
    if (byColon !== null) return byColon;
    const shouted = SHOUTED.exec(head);
    for (const bracketed of head.matchAll(BRACKETED)) {
        const level = levelOf(bracketed[1]);
        if (level !== null && bracketed.index <= (shouted?.index ?? HEAD)) return level;
    }
    return shouted === null ? null : levelOf(shouted[1]);
}

/** Lines that go on with what the line before began: the frames of a stack. */
export const goesOn = (words: string): boolean => /^(?:\s+\S|Caused by: |\.\.\. \d+ more)/.test(words);

/** What is shown: everything, or what is at least so grave. */
export type Threshold = 'all' | Exclude<Level, 'trace'>;
export const THRESHOLDS: readonly Threshold[] = ['all', 'debug', 'info', 'warn', 'error'];

/** A line without a level counts as information: most are. */
export function reaches(level: Level | null, threshold: Threshold): boolean {
    return threshold === 'all' || LEVELS.indexOf(level ?? 'info') >= LEVELS.indexOf(threshold);
}
