// Why a container is not doing what it should: the cause, what says so, and
// what helps, from what the engine knows and the last lines of its log.
//
// Rules are tried in order, the surest first. A rule that is not sure is not
// here: the last one only says what is known.
import type { Inspected } from './removal';

export type Cause =
    | 'outOfMemory'
    | 'portTaken'
    | 'mountMissing'
    | 'notFound'
    | 'wrongArchitecture'
    | 'interpreterMissing'
    | 'notExecutable'
    | 'libraryMissing'
    | 'diskFull'
    | 'readOnly'
    | 'tooManyProcesses'
    | 'tooManyFiles'
    | 'unhealthy'
    | 'crashedInCode'
    | 'aborted'
    | 'killed'
    | 'stopped'
    | 'interrupted'
    | 'otherSignal'
    | 'noInput'
    | 'addressInUse'
    | 'permission'
    | 'nameNotResolved'
    | 'refused'
    | 'finished'
    | 'startFailed'
    | 'failed';

export interface Evidence {
    readonly what: 'exitCode' | 'signal' | 'oom' | 'limit' | 'peak' | 'engine' | 'log' | 'probe' | 'command' | 'platform' | 'restarts' | 'ran';
    readonly text: string;
}

export interface Explanation {
    readonly cause: Cause;
    readonly tone: 'bad' | 'warn' | 'neutral';
    /** The one word that the sentence is about: a program, a port, a file. */
    readonly subject: string;
    readonly evidence: readonly Evidence[];
}

export interface Death {
    readonly container: Inspected;
    /** The last lines of the log, oldest first, without colours. */
    readonly lines: readonly string[];
    /** What the engine runs on, e.g. amd64. */
    readonly architecture: string;
    /** The most memory that it had, in bytes; null where nobody knows. */
    readonly peak?: number | null;
}

type Found = { cause: Cause; subject?: string; tone?: Explanation['tone']; line?: string };
type Rule = (death: Facts) => Found | null;

interface Facts {
    readonly code: number;
    readonly error: string;
    readonly oom: boolean;
    readonly command: string;
    readonly lines: readonly string[];
    readonly container: Inspected;
    /** Seconds that it ran, where known. */
    readonly ran: number | null;
}

const SIGNALS: Readonly<Record<number, string>> = {
    1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 4: 'SIGILL', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 9: 'SIGKILL',
    10: 'SIGUSR1', 11: 'SIGSEGV', 12: 'SIGUSR2', 13: 'SIGPIPE', 14: 'SIGALRM', 15: 'SIGTERM', 31: 'SIGSYS',
};

/** null where there is nothing to explain: it runs well, or never ran. */
export function explain({ container, lines, architecture, peak = null }: Death): Explanation | null {
    const state = container.State ?? {};
    if (state.Running === true && state.Health?.Status !== 'unhealthy') return null;
    if (state.Status === 'created' && (state.Error ?? '') === '') return null;
    const facts: Facts = {
        code: state.ExitCode ?? 0,
        error: state.Error ?? '',
        oom: state.OOMKilled === true,
        command: [container.Path ?? '', ...(container.Args ?? [])].join(' ').trim(),
        lines,
        container,
        ran: ranFor(state.StartedAt, state.FinishedAt),
    };
    for (const rule of RULES) {
        const found = rule(facts);
        if (found !== null) return explanation(facts, found, architecture, peak);
    }
    return null;
}

const RULES: readonly Rule[] = [
    ({ container }) => (container.State?.Running === true ? { cause: 'unhealthy', subject: '', tone: 'bad' } : null),
    ({ oom, container }) => (oom ? { cause: 'outOfMemory', subject: String(container.HostConfig?.Memory ?? 0) } : null),

    // What the engine says when it could not start it.
    inError(/(?:port is already allocated|address already in use)/i, 'portTaken', ({ error }) => /:(\d{1,5})(?:[^\d]|$)/.exec(error.replace(/\d+\.\d+\.\d+\.\d+/g, ''))?.[1] ?? ''),
    inError(/bind source path does not exist: ?(\S+)|invalid mount config|error mounting "([^"]+)"/i, 'mountMissing', ({ error }) => /(?:does not exist: ?|mounting ")([^\s"]+)/.exec(error)?.[1] ?? ''),
    inError(/exec format error/i, 'wrongArchitecture', program),
    inError(/permission denied|is a directory/i, 'notExecutable', program),
    inError(/executable file not found|no such file or directory/i, 'notFound', program),
    ({ error, code }) => (error !== '' && code !== 0 && code >= 125 && code <= 128 ? { cause: 'startFailed' } : null),

    // What its own last words say.
    said(/exec format error/i, 'wrongArchitecture', program),
    said(/error while loading shared libraries: ([^:]+)|Error loading shared library ([^:]+)/i, 'libraryMissing'),
    // The engine has found the program; what the kernel then misses is what its first line names.
    said(/bad interpreter|required file not found|env: .*: No such file|^exec \/\S+: no such file/i, 'interpreterMissing', program),
    said(/no space left on device|ENOSPC/i, 'diskFull'),
    said(/read-only file system|EROFS/i, 'readOnly'),
    said(/(?:fork|pthread_create|can't fork|clone).*(?:resource temporarily unavailable|EAGAIN)|can't start new thread/i, 'tooManyProcesses'),
    said(/too many open files|EMFILE/i, 'tooManyFiles'),

    ({ code }) => ([132, 135, 136, 139].includes(code) ? { cause: 'crashedInCode', subject: signalOf(code) } : null),
    ({ code }) => (code === 134 ? { cause: 'aborted', subject: 'SIGABRT' } : null),
    ({ code }) => (code === 137 ? { cause: 'killed', subject: 'SIGKILL' } : null),
    ({ code }) => (code === 143 ? { cause: 'stopped', subject: 'SIGTERM', tone: 'neutral' } : null),
    ({ code }) => (code === 130 ? { cause: 'interrupted', subject: 'SIGINT', tone: 'neutral' } : null),
    ({ code }) => (code > 128 && code < 128 + 65 ? { cause: 'otherSignal', subject: signalOf(code) } : null),
    ({ code, lines }) => (code === 127 ? { cause: 'notFound', subject: notFoundIn(lines), ...lastMatching(lines, /not found/i) } : null),
    ({ code, lines }) => (code === 126 ? { cause: 'notExecutable', ...lastMatching(lines, /denied/i) } : null),

    ({ code, container, ran }) =>
        code === 0 && isShell(container.Path) && (container.Args ?? []).length === 0 && container.Config?.OpenStdin !== true && (ran ?? 0) < 5
            ? { cause: 'noInput', subject: container.Path ?? '', tone: 'warn' }
            : null,
    ({ code }) => (code === 0 ? { cause: 'finished', tone: 'neutral' } : null),

    // A failure of the program's own: only a hint of why.
    said(/(?:address already in use|EADDRINUSE)/i, 'addressInUse', ({ lines }) => /:(\d{2,5})\b/.exec(matching(lines, /in use|EADDRINUSE/i) ?? '')?.[1] ?? ''),
    said(/(?:could not resolve|name or service not known|ENOTFOUND|temporary failure in name resolution|bad address '([^']+)')/i, 'nameNotResolved'),
    said(/(?:connection refused|ECONNREFUSED)/i, 'refused', ({ lines }) => /([\w.-]+:\d{2,5})\b/.exec(matching(lines, /refused|ECONNREFUSED/i) ?? '')?.[1] ?? ''),
    said(/(?:permission denied|EACCES|operation not permitted|EPERM)/i, 'permission'),
    ({ code }) => ({ cause: 'failed', subject: String(code) }),
];

function inError(pattern: RegExp, cause: Cause, subject: (facts: Facts) => string): Rule {
    return (facts) => (pattern.test(facts.error) ? { cause, subject: subject(facts) } : null);
}

function said(pattern: RegExp, cause: Cause, subject?: (facts: Facts) => string): Rule {
    return (facts) => {
        // A container that was stopped, or that did well, may have said anything.
        if ([0, 130, 137, 143].includes(facts.code)) return null;
        const line = matching(facts.lines, pattern);
        if (line === undefined) return null;
        return { cause, line, subject: subject?.(facts) ?? pattern.exec(line)?.slice(1).find((group) => group !== undefined) ?? '' };
    };
}

function explanation(facts: Facts, found: Found, architecture: string, peak: number | null): Explanation {
    const { container, code, error } = facts;
    const state = container.State ?? {};
    const evidence: Evidence[] = [];
    const add = (what: Evidence['what'], text: string | undefined) => {
        if (text !== undefined && text !== '') evidence.push({ what, text });
    };
    if (found.cause === 'unhealthy') {
        const probe = (state.Health?.Log ?? []).at(-1);
        add('probe', probe?.Output?.trim());
        add('command', (container.Config?.Healthcheck?.Test ?? []).slice(1).join(' '));
        add('exitCode', probe?.ExitCode === undefined ? undefined : String(probe.ExitCode));
    } else {
        add('engine', error);
        add('log', found.line?.trim() || (found.cause === 'failed' ? lastWords(facts.lines) : undefined));
        if (facts.oom) add('oom', 'OOMKilled');
        if (found.cause === 'outOfMemory') add('limit', String(container.HostConfig?.Memory ?? 0));
        if (facts.oom && peak !== null) add('peak', String(peak));
        add('exitCode', String(code));
        if (code > 128) add('signal', signalOf(code));
        if (found.cause === 'wrongArchitecture') add('platform', architecture);
        if (['notFound', 'notExecutable', 'noInput', 'wrongArchitecture', 'interpreterMissing'].includes(found.cause)) add('command', facts.command);
        if (facts.ran !== null) add('ran', String(facts.ran));
    }
    if ((container.RestartCount ?? 0) > 0) add('restarts', String(container.RestartCount));
    return { cause: found.cause, tone: found.tone ?? 'bad', subject: found.subject ?? '', evidence };
}

const signalOf = (code: number): string => SIGNALS[code - 128] ?? `signal ${code - 128}`;
const isShell = (path: string | undefined): boolean => /^(?:.*\/)?(?:ba|da|a|z)?sh$/.test(path ?? '');

function program({ error, container }: Facts): string {
    return /exec(?:ve)?:? (?:"([^"]+)"|(\S+?):)/.exec(error)?.[1] ?? /"([^"]+)": executable/.exec(error)?.[1] ?? container.Path ?? '';
}

function matching(lines: readonly string[], pattern: RegExp): string | undefined {
    return lines.findLast((line) => pattern.test(line));
}

function lastMatching(lines: readonly string[], pattern: RegExp): { line?: string } {
    const line = matching(lines, pattern);
    return line === undefined ? {} : { line };
}

/** "sh: foo: not found", "bash: line 1: foo: command not found". */
function notFoundIn(lines: readonly string[]): string {
    return /([^\s:]+): (?:command )?not found/.exec(matching(lines, /not found/) ?? '')?.[1] ?? '';
}

/** The last line that looks like a complaint, else the last one. */
function lastWords(lines: readonly string[]): string | undefined {
    return matching(lines, /error|fatal|panic|exception|fail|cannot|unable/i) ?? lines.findLast((line) => line.trim() !== '');
}

function ranFor(started: string | undefined, finished: string | undefined): number | null {
    const [from, to] = [Date.parse(started ?? ''), Date.parse(finished ?? '')];
    return from > 0 && to >= from ? (to - from) / 1000 : null;
}
