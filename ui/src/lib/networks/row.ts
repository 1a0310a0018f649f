// A network as one row of the list, and what a prune of networks takes.
import type { Schemas } from '$lib/api/client';
import type { Row } from '$lib/containers/row';
import { timeOf } from '$lib/format/units';
import type { Order } from '$lib/list/arrange';

export interface NetworkRow {
    readonly key: string;
    readonly id: string;
    readonly name: string;
    readonly driver: string;
    readonly scope: string;
    readonly subnets: readonly string[];
    readonly gateways: readonly string[];
    /** Reaches nothing outside. */
    readonly internal: boolean;
    readonly ipv6: boolean;
    /** The engine's own: it cannot be removed. */
    readonly builtIn: boolean;
    readonly created: number | null;
    readonly haystack: string;
    readonly network: Network;
}

export type Network = Schemas['Network'];
export type NetworkSort = 'name' | 'driver' | 'subnet' | 'used';

export interface NetworkUse {
    readonly container: Row;
    readonly address: string;
    readonly attached: boolean;
}

const BUILT_IN = new Set(['bridge', 'host', 'none']);

export function networkRow(network: Network): NetworkRow {
    const configs = network.IPAM?.Config ?? [];
    const name = network.Name ?? '';
    const subnets = configs.flatMap((config) => config.Subnet ?? []);
    return {
        key: network.Id ?? name,
        id: network.Id ?? '',
        name,
        driver: network.Driver ?? '',
        scope: network.Scope ?? '',
        subnets,
        gateways: configs.flatMap((config) => config.Gateway ?? []),
        internal: network.Internal === true,
        ipv6: network.EnableIPv6 === true,
        builtIn: BUILT_IN.has(name),
        created: timeOf(network.Created),
        haystack: [name, network.Id ?? '', network.Driver ?? '', ...subnets, ...Object.entries(network.Labels ?? {}).flat()].join('\n').toLowerCase(),
        network,
    };
}

/** By the network's name: that is what containers are told. */
export function networkUses(containers: readonly Row[]): Map<string, NetworkUse[]> {
    const uses = new Map<string, NetworkUse[]>();
    for (const container of containers) {
        const attached = container.state === 'running' || container.state === 'paused';
        for (const [name, endpoint] of Object.entries(container.summary.NetworkSettings?.Networks ?? {})) {
            const address = endpoint?.IPAddress || endpoint?.GlobalIPv6Address || '';
            uses.set(name, [...(uses.get(name) ?? []), { container, address, attached }]);
        }
    }
    return uses;
}

export function networkOrders(uses: (name: string) => number): Record<NetworkSort, Order<NetworkRow>> {
    return {
        name: () => 0,
        driver: (a, b) => a.driver.localeCompare(b.driver),
        subnet: (a, b) => addressOrder(a.subnets[0]) - addressOrder(b.subnets[0]),
        used: (a, b) => uses(a.name) - uses(b.name),
    };
}

/** IPv4 by number; what has none comes last. */
function addressOrder(subnet: string | undefined): number {
    const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)/.exec(subnet ?? '')?.slice(1).map(Number);
    return parts === undefined ? Number.MAX_SAFE_INTEGER : parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** As the engine prunes: no built-in ones, none that a container is attached to. */
export function networksToPrune(rows: readonly NetworkRow[], uses: ReadonlyMap<string, readonly NetworkUse[]>): NetworkRow[] {
    return rows.filter((row) => !row.builtIn && !(uses.get(row.name) ?? []).some((use) => use.attached));
}
