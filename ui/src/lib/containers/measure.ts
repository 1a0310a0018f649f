// What a container uses, worked out of the engine's raw counters.
import type { Schemas } from '$lib/api/client';

export type RawStats = Schemas['ContainerStatsResponse'];

export interface Sample {
    /** Milliseconds since 1970. */
    readonly at: number;
    /** Percent of one core: 200 is two cores. */
    readonly cpu: number;
    readonly memory: number;
    readonly memoryLimit: number;
    /** Bytes each second. */
    readonly received: number;
    readonly sent: number;
    readonly read: number;
    readonly written: number;
    readonly processes: number;
}

interface Counters {
    readonly at: number;
    readonly cpu: number;
    readonly received: number;
    readonly sent: number;
    readonly read: number;
    readonly written: number;
}

/** Counters only grow, so that a sample needs two of them. */
export class Meter {
    #before: Counters | null = null;

    measure(raw: RawStats, now: number): Sample | null {
        const after = countersOf(raw, now);
        const before = this.#before;
        this.#before = after;
        // A container that was started again counts from zero.
        if (before === null || after.cpu < before.cpu || after.at <= before.at) return null;
        const seconds = (after.at - before.at) / 1000;
        const rate = (key: 'received' | 'sent' | 'read' | 'written') => Math.max(0, (after[key] - before[key]) / seconds);
        return {
            at: after.at,
            cpu: Math.max(0, ((after.cpu - before.cpu) / (seconds * 1e9)) * 100),
            memory: memoryOf(raw),
            memoryLimit: raw.memory_stats?.limit ?? 0,
            received: rate('received'),
            sent: rate('sent'),
            read: rate('read'),
            written: rate('written'),
            processes: raw.pids_stats?.current ?? 0,
        };
    }
}

/** The newest `kept` samples. After a clock was set back, those of a time yet to come are of no use. */
export function appended(history: readonly Sample[], sample: Sample, kept: number): readonly Sample[] {
    const before = (history.at(-1)?.at ?? -Infinity) < sample.at ? history : history.filter((earlier) => earlier.at < sample.at);
    return [...before.slice(-(kept - 1)), sample];
}

function countersOf(raw: RawStats, now: number): Counters {
    let [received, sent, read, written] = [0, 0, 0, 0];
    for (const network of Object.values(raw.networks ?? {})) {
        received += network?.rx_bytes ?? 0;
        sent += network?.tx_bytes ?? 0;
    }
    for (const entry of raw.blkio_stats?.io_service_bytes_recursive ?? []) {
        const op = entry?.op?.toLowerCase();
        if (op === 'read') read += entry?.value ?? 0;
        else if (op === 'write') written += entry?.value ?? 0;
    }
    const told = Date.parse(raw.read ?? '');
    return {
        at: Number.isNaN(told) || told <= 0 ? now : told,
        cpu: raw.cpu_stats?.cpu_usage?.total_usage ?? 0,
        received,
        sent,
        read,
        written,
    };
}

/** As docker's own stats: without the cache that would be given back at once. */
export function memoryOf(raw: RawStats): number {
    const usage = raw.memory_stats?.usage ?? 0;
    const detail = (raw.memory_stats?.stats ?? {}) as Record<string, number | undefined>;
    const cache = detail['total_inactive_file'] ?? detail['inactive_file'] ?? 0;
    return cache < usage ? usage - cache : usage;
}
