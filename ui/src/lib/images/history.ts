// How an image came about: each step, what it was told to do, and the layer
// that it made, if any.
import type { Schemas } from '$lib/api/client';

export interface Step {
    /** `RUN`, `COPY`, …; '' where the command names none. */
    readonly instruction: string;
    readonly command: string;
    readonly comment: string;
    readonly size: number;
    /** The layer's digest of its content; null for steps that only set something. */
    readonly layer: string | null;
    /** Seconds since 1970; 0 where none was kept. */
    readonly created: number;
    readonly tags: readonly string[];
}

type HistoryEntry = Schemas['ImageHistoryResponseItem'];

/**
 * Oldest first. The engine tells steps newest first and does not say which of
 * them made a layer: those with a size did, and as many of the others, oldest
 * first, as there are layers left.
 */
export function stepsOf(history: readonly HistoryEntry[], layers: readonly string[]): Step[] {
    const oldest = [...history].reverse();
    const made = makers(oldest, layers.length);
    let next = 0;
    return oldest.map((entry, index) => ({
        ...commandOf(entry.CreatedBy ?? ''),
        comment: entry.Comment ?? '',
        size: entry.Size ?? 0,
        layer: made.has(index) ? (layers[next++] ?? null) : null,
        created: entry.Created ?? 0,
        tags: entry.Tags ?? [],
    }));
}

function makers(oldest: readonly HistoryEntry[], count: number): Set<number> {
    const sized = oldest.flatMap((entry, index) => ((entry.Size ?? 0) > 0 ? [index] : []));
    const chosen = new Set(sized.slice(0, count));
    // A layer may be empty: WORKDIR makes one, and so does a RUN that writes nothing.
    const likely = (entry: HistoryEntry) => /^(?:WORKDIR|COPY|ADD|RUN)\b/.test(commandOf(entry.CreatedBy ?? '').instruction);
    for (const wanted of [likely, () => true]) {
        for (const [index, entry] of oldest.entries()) {
            if (chosen.size < count && !chosen.has(index) && wanted(entry)) chosen.add(index);
        }
    }
    return chosen;
}

const INSTRUCTION = /^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\s+(.*)$/s;

/** A step's command without what builders wrap it in. */
export function commandOf(createdBy: string): { instruction: string; command: string } {
    let text = createdBy.trim().replace(/\s*# buildkit$/, '');
    const nop = /^\/bin\/sh -c #\(nop\)\s+(.*)$/s.exec(text);
    if (nop !== null) text = nop[1] as string;
    else if (/^\/bin\/sh -c /.test(text)) text = `RUN ${text}`;
    // Build arguments stand before it: `|1 VERSION=2 /bin/sh -c …`.
    text = text.replace(/^(?:RUN )?\|\d+ .*?\/bin\/sh -c /s, 'RUN ').replace(/^RUN \/bin\/sh -c /, 'RUN ');
    const found = INSTRUCTION.exec(text);
    return found === null ? { instruction: '', command: text } : { instruction: found[1] as string, command: (found[2] as string).trim() };
}
