// Which part of a log is asked for, in the engine's own terms.

export type Range =
    | { readonly kind: 'newest' }
    | { readonly kind: 'all' }
    /** The last so many seconds, counted from when it was chosen. */
    | { readonly kind: 'last'; readonly seconds: number }
    /** Milliseconds since 1970; what is null is open. */
    | { readonly kind: 'between'; readonly since: number | null; readonly until: number | null };

export const NEWEST = 10_000;

export interface LogQuery {
    readonly follow: boolean;
    readonly tail?: number | 'all';
    readonly since?: string;
    readonly until?: string;
}

/** @param resume after the last line that is here, where reading goes on. */
export function queryOf(range: Range, now: number, resume = ''): LogQuery {
    const since = resume === '' ? sinceOf(range, now) : resume;
    const until = range.kind === 'between' && range.until !== null ? { until: seconds(range.until) } : {};
    // What has an end in the past is read once.
    const follow = !(range.kind === 'between' && range.until !== null && range.until <= now);
    if (since !== '') return { follow, since, ...until };
    return { follow, tail: range.kind === 'newest' ? NEWEST : 'all', ...until };
}

function sinceOf(range: Range, now: number): string {
    if (range.kind === 'last') return seconds(now - range.seconds * 1000);
    return range.kind === 'between' && range.since !== null ? seconds(range.since) : '';
}

const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(3);

/** A range as a person types it: `2026-01-02T10:30`, this machine's own time. */
export function betweenOf(since: string, until: string): Range | 'backwards' | 'nothing' {
    const from = since === '' ? null : Date.parse(since);
    const to = until === '' ? null : Date.parse(until);
    if (Number.isNaN(from) || Number.isNaN(to) || (from === null && to === null)) return 'nothing';
    if (from !== null && to !== null && from >= to) return 'backwards';
    return { kind: 'between', since: from, until: to };
}
