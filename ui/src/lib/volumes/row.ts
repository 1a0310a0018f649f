// A volume as one row of the list, and what a prune of volumes takes.
import type { Schemas } from '$lib/api/client';
import { isAnonymous } from '$lib/containers/removal';
import type { Row } from '$lib/containers/row';
import { shortId, timeOf } from '$lib/format/units';
import type { Order } from '$lib/list/arrange';

export interface VolumeRow {
    readonly key: string;
    readonly name: string;
    /** What is shown: names of anonymous volumes are short. */
    readonly label: string;
    readonly anonymous: boolean;
    readonly driver: string;
    readonly mountpoint: string;
    /** Milliseconds since 1970. */
    readonly created: number | null;
    readonly haystack: string;
    readonly volume: Schemas['Volume'];
}

export type VolumeSort = 'name' | 'size' | 'used' | 'created';

export interface VolumeUse {
    readonly container: Row;
    readonly target: string;
    readonly writable: boolean;
}

const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

export function volumeRow(volume: Schemas['Volume']): VolumeRow {
    const labels = volume.Labels ?? {};
    const anonymous = isAnonymous(volume.Name) || ANONYMOUS_LABEL in labels;
    return {
        key: volume.Name,
        name: volume.Name,
        label: isAnonymous(volume.Name) ? shortId(volume.Name) : volume.Name,
        anonymous,
        driver: volume.Driver,
        mountpoint: volume.Mountpoint,
        created: timeOf(volume.CreatedAt),
        haystack: [volume.Name, volume.Driver, ...Object.entries(labels).flat()].join('\n').toLowerCase(),
        volume,
    };
}

export function volumeUses(containers: readonly Row[]): Map<string, VolumeUse[]> {
    const uses = new Map<string, VolumeUse[]>();
    for (const container of containers) {
        for (const mount of container.summary.Mounts ?? []) {
            if (mount.Type !== 'volume' || mount.Name === undefined) continue;
            const use = { container, target: mount.Destination ?? '', writable: mount.RW !== false };
            uses.set(mount.Name, [...(uses.get(mount.Name) ?? []), use]);
        }
    }
    return uses;
}

export function volumeOrders(uses: (name: string) => number, size: (name: string) => number): Record<VolumeSort, Order<VolumeRow>> {
    return {
        name: (a, b) => Number(a.anonymous) - Number(b.anonymous),
        size: (a, b) => size(a.name) - size(b.name),
        used: (a, b) => uses(a.name) - uses(b.name),
        created: (a, b) => (a.created ?? 0) - (b.created ?? 0),
    };
}

/** As the engine prunes: what no container has; those with a name only where all is said. */
export function volumesToPrune(rows: readonly VolumeRow[], uses: ReadonlyMap<string, readonly VolumeUse[]>, all: boolean): VolumeRow[] {
    return rows.filter((row) => (all || row.anonymous) && !uses.has(row.name));
}
