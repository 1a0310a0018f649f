// Networks: the list, kept true by events, and what can be done with them.
import type { Client, Schemas } from '$lib/api/client';
import { messageOf } from '$lib/api/error';
import { networkRow, type NetworkRow } from '$lib/networks/row';
import type { Change } from './changes';
import type { Engine, EngineEvent } from './engine.svelte';
import { Listing } from './listing.svelte';

export interface NewNetwork {
    readonly name: string;
    readonly subnet: string;
    readonly gateway: string;
    readonly internal: boolean;
    readonly labels: Readonly<Record<string, string>>;
}

export class Networks {
    readonly #client: Client;
    readonly #engine: Engine;
    #listing = $state.raw<Listing<NetworkRow> | null>(null);

    constructor(engine: Engine) {
        this.#engine = engine;
        this.#client = engine.client;
    }

    want(): void {
        this.#listing ??= new Listing(this.#engine, {
            id: (row) => row.key,
            all: async (signal) => (await this.#client.get('/networks', { signal })).map(networkRow),
            concerns: networkChange,
        });
    }

    get rows(): readonly NetworkRow[] {
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

    find(reference: string): NetworkRow | undefined {
        return this.rows.find((row) => row.name === reference || row.id === reference);
    }

    inspect(id: string): Promise<Schemas['NetworkInspect']> {
        return this.#client.get('/networks/{id}', { path: { id } });
    }

    async create({ name, subnet, gateway, internal, labels }: NewNetwork): Promise<void> {
        const config = { ...(subnet === '' ? {} : { Subnet: subnet }), ...(gateway === '' ? {} : { Gateway: gateway }) };
        await this.#client.post('/networks/create', {
            json: {
                Name: name,
                Driver: 'bridge',
                Internal: internal,
                Labels: labels,
                ...(subnet === '' ? {} : { IPAM: { Config: [config] } }),
            },
        });
    }

    async remove(rows: readonly NetworkRow[]): Promise<{ id: string; error: string }[]> {
        const failures: { id: string; error: string }[] = [];
        for (const row of rows) {
            try {
                await this.#client.delete('/networks/{id}', { path: { id: row.id } });
            } catch (error) {
                failures.push({ id: row.name, error: messageOf(error) });
            }
        }
        return failures;
    }

    async prune(): Promise<readonly string[]> {
        return (await this.#client.post('/networks/prune')).NetworksDeleted ?? [];
    }
}

export function networkChange(event: EngineEvent): Change | null {
    if (event.Type !== 'network' || !['create', 'destroy', 'remove', 'prune', 'update'].includes(event.Action)) return null;
    return { id: event.Actor.ID, gone: false };
}
