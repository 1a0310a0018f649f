import { expect, it } from 'vitest';
import { rowOf } from '$lib/containers/row';
import { volumeRow, volumesToPrune, volumeUses } from './row';

const volume = (Name: string, Labels = {}) => volumeRow({ Name, Driver: 'local', Mountpoint: `/v/${Name}`, Labels, Scope: 'local', Options: {} });
const hex = 'a'.repeat(64);
const rows = [volume('data'), volume(hex), volume('kept'), volume('cache', { 'com.docker.volume.anonymous': '' })];
const uses = volumeUses([
    rowOf({ Id: 'c', Names: ['/db'], State: 'exited', Mounts: [{ Type: 'volume', Name: 'data', Destination: '/d', RW: false }, { Type: 'bind', Source: '/x', Destination: '/x' }] } as never),
]);

it('tells who has a volume, running or not', () => {
    expect([...uses.keys()]).toEqual(['data']);
    expect(uses.get('data')).toMatchObject([{ container: { name: 'db' }, target: '/d', writable: false }]);
});

it('prunes as the engine does: named ones only where all is said', () => {
    expect(volumesToPrune(rows, uses, false).map((row) => row.name)).toEqual([hex, 'cache']);
    expect(volumesToPrune(rows, uses, true).map((row) => row.name)).toEqual([hex, 'kept', 'cache']);
});

it('shows anonymous names short', () => {
    expect(volume(hex)).toMatchObject({ anonymous: true, label: 'aaaaaaaaaaaa' });
});
