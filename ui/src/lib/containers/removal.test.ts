import { expect, it } from 'vitest';
import { removalOf, type Inspected } from './removal';

const anonymous = 'f'.repeat(64);
const one = {
    SizeRw: 2048,
    State: { Running: true },
    Config: { Image: 'postgres:16' },
    Mounts: [
        { Type: 'volume', Name: anonymous, Destination: '/a' },
        { Type: 'volume', Name: 'data', Destination: '/b' },
        { Type: 'bind', Source: '/srv', Destination: '/c' },
        { Type: 'tmpfs', Destination: '/d' },
    ],
} as unknown as Inspected;

it('tells apart what goes and what stays', () => {
    expect(removalOf([one, one])).toEqual({
        running: 2,
        written: 4096,
        anonymousVolumes: [anonymous],
        namedVolumes: ['data'],
        folders: ['/srv'],
        images: ['postgres:16'],
    });
});

it('knows no size where the engine told none of one', () => {
    expect(removalOf([one, { ...one, SizeRw: null }]).written).toBeNull();
});
