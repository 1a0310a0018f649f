// Volumes: the list, kept true by events. Sizes are measured by walking the
// disk, so that they are asked for, never polled, and say when they are from.
import { filters, type Client } from '$lib/api/client';
import { messageOf } from '$lib/api/error';
import { volumeRow, type VolumeRow } from '$lib/volumes/row';
import type { Change } from './changes';
import type { Engine, EngineEvent } from './engine.svelte';
import { Listing } from './listing.svelte';

export interface Sizes {
    readonly bytes: ReadonlyMap<string, number>;
    /** Milliseconds since 1970. */
    readonly at: number;
}

interface Measured {
    readonly Name?: string;
    readonly UsageData?: { readonly Size?: number } | null;
}

export interface NewVolume {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly options: Readonly<Record<string, string>>;
}

export class Volumes {
    sizes = $state.raw<Sizes | null>(null);
    measuring = $state(false);
    readonly #client: Client;
    readonly #engine: Engine;
    #listing = $state.raw<Listing<VolumeRow> | null>(null);

    constructor(engine: Engine) {
        this.#engine = engine;
        this.#client = engine.client;
    }

    want(): void {
        this.#listing ??= new Listing(this.#engine, {
            id: (row) => row.key,
            all: async (signal) => ((await this.#client.get('/volumes', { signal })).Volumes ?? []).map(volumeRow),
            concerns: volumeChange,
        });
    }

    get rows(): readonly VolumeRow[] {
        return this.#listing?.items ?? [];
    }
    get loaded(): boolean {
        return this.#listing?.loaded ?? false;
    }
    get error(): string | null {
        return this.#listing?.error ?? null;
    }
    refresh(): void {
        this.#listing?.refresh();
    }

    /** Has the engine measure all volumes. @throws what the engine says. */
    async measure(): Promise<void> {
        if (this.measuring) return;
        this.measuring = true;
        try {
            const answer = await this.#client.get('/system/df', { query: { type: ['volume'], verbose: true } });
            // Before version 1.52 of the API volumes stood by themselves.
            const older = (answer as { Volumes?: Measured[] | null }).Volumes;
            const items = (answer.VolumeUsage?.Items ?? older ?? []) as readonly Measured[];
            const known = items.flatMap(({ Name, UsageData }) =>
                Name !== undefined && typeof UsageData?.Size === 'number' && UsageData.Size >= 0 ? [[Name, UsageData.Size] as const] : [],
            );
            this.sizes = { bytes: new Map(known), at: Date.now() };
        } finally {
            this.measuring = false;
        }
    }

    sizeOf(name: string): number | null {
        return this.sizes?.bytes.get(name) ?? null;
    }

    async create({ name, labels, options }: NewVolume): Promise<string> {
        const made = await this.#client.post('/volumes/create', {
            json: { ...(name === '' ? {} : { Name: name }), Driver: 'local', Labels: labels, DriverOpts: options },
        });
        return made.Name;
    }

    async remove(names: readonly string[]): Promise<{ id: string; error: string }[]> {
        const failures: { id: string; error: string }[] = [];
        for (const name of names) {
            try {
                await this.#client.delete('/volumes/{name}', { path: { name } });
            } catch (error) {
                failures.push({ id: name, error: messageOf(error) });
            }
        }
        return failures;
    }

    async prune(all: boolean): Promise<{ names: readonly string[]; bytes: number }> {
        const query = all ? { filters: filters({ all: ['true'] }) } : {};
        const answer = await this.#client.post('/volumes/prune', { query });
        return { names: answer.VolumesDeleted ?? [], bytes: answer.SpaceReclaimed ?? 0 };
    }
}

export function volumeChange(event: EngineEvent): Change | null {
    if (event.Type !== 'volume' || (event.Action !== 'create' && event.Action !== 'destroy' && event.Action !== 'prune')) return null;
    return { id: event.Actor.ID, gone: false };
}
