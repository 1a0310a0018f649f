import { describe, expect, it } from 'vitest';
import { rowOf } from '$lib/containers/row';
import { networkOrders, networkRow, networksToPrune, networkUses } from './row';
import { contains, overlaps, parseSubnet } from './subnet';

const subnet = (text: string) => parseSubnet(text) ?? expect.fail(text);

describe('subnets', () => {
    it('finds overlaps', () => {
        expect(overlaps(subnet('172.17.0.0/16'), subnet('172.17.4.0/24'))).toBe(true);
        expect(overlaps(subnet('172.17.0.0/16'), subnet('172.18.0.0/16'))).toBe(false);
        expect(overlaps(subnet('fd00::/64'), subnet('0.0.0.0/0'))).toBe(false);
        expect(contains(subnet('10.0.0.0/8'), '10.255.255.255')).toBe(true);
        expect(contains(subnet('fd00::/64'), 'fd00::1')).toBe(true);
        expect(contains(subnet('10.0.0.0/8'), '11.0.0.1')).toBe(false);
    });

    it.each(['', '10.0.0.0', '10.0.0.0/33', '10.0.0.300/8', 'fd00::/129', '1:2:3/64', '::1::/64', 'x/8'])('refuses %j', (text) => expect(parseSubnet(text)).toBeNull());
});

const container = (name: string, state: string, network: string) =>
    rowOf({ Id: name, Names: [`/${name}`], State: state, NetworkSettings: { Networks: { [network]: { IPAddress: '10.0.0.2' } } } } as never);
const networks = ['bridge', 'shop', 'idle'].map((Name) => networkRow({ Name, Id: `id-${Name}`, Driver: 'bridge', IPAM: { Config: [{ Subnet: '10.1.0.0/16' }] } } as never));

it('prunes what nothing is attached to, and never the engine’s own', () => {
    const uses = networkUses([container('web', 'running', 'shop'), container('old', 'exited', 'idle')]);
    expect(networksToPrune(networks, uses).map((row) => row.name)).toEqual(['idle']);
    expect(uses.get('idle')?.[0]).toMatchObject({ attached: false, address: '10.0.0.2' });
});

it('sorts subnets by number', () => {
    const made = (Subnet: string) => networkRow({ Name: Subnet, IPAM: { Config: [{ Subnet }] } } as never);
    const sorted = [made('172.18.0.0/16'), made('172.4.0.0/16'), networkRow({ Name: 'none' } as never)].sort(networkOrders(() => 0).subnet);
    expect(sorted.map((row) => row.name)).toEqual(['172.4.0.0/16', '172.18.0.0/16', 'none']);
});
