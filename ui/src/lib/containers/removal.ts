// What goes when containers are removed, and what stays, said before it is
// done.
import type { Schemas } from '$lib/api/client';

export type Inspected = Schemas['ContainerInspectResponse'];

export interface Removal {
    readonly running: number;
    /** Bytes in the writable layers; null where the engine did not say. */
    readonly written: number | null;
    readonly anonymousVolumes: readonly string[];
    readonly namedVolumes: readonly string[];
    readonly folders: readonly string[];
    readonly images: readonly string[];
}

export function removalOf(containers: readonly Inspected[]): Removal {
    const mounts = containers.flatMap((container) => container.Mounts ?? []);
    const volumes = mounts.filter((mount) => mount.Type === 'volume').map((mount) => mount.Name ?? '');
    const sizes = containers.map((container) => container.SizeRw);
    return {
        running: containers.filter((container) => container.State?.Running === true).length,
        written: sizes.every((size) => typeof size === 'number') ? sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0) : null,
        anonymousVolumes: unique(volumes.filter(isAnonymous)),
        namedVolumes: unique(volumes.filter((name) => name !== '' && !isAnonymous(name))),
        folders: unique(mounts.filter((mount) => mount.Type === 'bind').map((mount) => mount.Source ?? '')),
        images: unique(containers.map((container) => container.Config?.Image ?? '')),
    };
}

/** The engine names volumes that nobody named with 64 hexadecimal digits. */
export const isAnonymous = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

const unique = (all: readonly string[]): string[] => [...new Set(all)].filter((one) => one !== '').sort();
