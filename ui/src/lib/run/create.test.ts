import { describe, expect, it } from 'vitest';
import { rowOf } from '$lib/containers/row';
import { blame, conflictsOf, portOfError } from './conflicts';
import { bindingsOf, bytesOf, planOf } from './create';
import { blank, blankMount, blankPort, type RunForm } from './form';

const form = (more: Partial<RunForm>): RunForm => ({ ...blank, image: 'nginx', ...more });
const body = (more: Partial<RunForm>) => planOf(form(more)).body;
const wrong = (more: Partial<RunForm>) => Object.fromEntries(planOf(form(more)).wrong);

describe('planOf', () => {
    it('says to the engine what docker run would', () => {
        const made = body({
            command: `sh -c 'echo "a b"'`,
            entrypoint: '/init',
            memory: '1.5g',
            cpus: '.5',
            ports: [{ address: '127.0.0.1', outside: '8000-8001', inside: '80-81', protocol: 'tcp' }, { ...blankPort, inside: '53', protocol: 'udp' }],
            mounts: [
                { ...blankMount, source: 'data', target: '/data', readOnly: true, options: 'z' },
                { ...blankMount, target: '/anonymous' },
                { ...blankMount, kind: 'bind', source: '/a:b', target: '/c' },
                { ...blankMount, kind: 'tmpfs', target: '/tmp', options: 'size=1m' },
            ],
            environment: [{ name: 'A', value: 'x=y' }, { name: '', value: '' }],
        });
        expect(made).toMatchObject({
            Cmd: ['sh', '-c', 'echo "a b"'],
            Entrypoint: ['/init'],
            Env: ['A=x=y'],
            Volumes: { '/anonymous': {} },
            ExposedPorts: { '80/tcp': {}, '81/tcp': {}, '53/udp': {} },
            HostConfig: {
                Memory: 1_610_612_736,
                NanoCpus: 500_000_000,
                Binds: ['data:/data:ro,z'],
                Mounts: [{ Type: 'bind', Source: '/a:b', Target: '/c', ReadOnly: false }],
                Tmpfs: { '/tmp': 'size=1m' },
                PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8000' }], '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '8001' }], '53/udp': [{ HostIp: '', HostPort: '' }] },
            },
        });
        expect(body({})).not.toHaveProperty('Cmd');
    });

    it('says where something is wrong', () => {
        expect(wrong({ image: '' })).toEqual({ image: 'image-missing' });
        expect(wrong({ name: '-x', memory: 'lots', cpus: 'two', command: "'", workdir: 'x' })).toEqual({ name: 'name', memory: 'size', cpus: 'number', command: 'quote', workdir: 'path' });
        expect(wrong({ ports: [{ ...blankPort, outside: '80' }, { ...blankPort, inside: '70000' }, { ...blankPort, outside: '1-3', inside: '1-2' }] })).toEqual({ 'port:0': 'port-missing', 'port:1': 'port', 'port:2': 'port-ranges' });
        expect(wrong({ mounts: [{ ...blankMount, source: '$PWD', target: '/a' }, { ...blankMount, kind: 'bind', source: '~', target: '/a' }] })).toEqual({ 'mount:0': 'source-volume', 'mount:1': 'source-bind' });
        expect(wrong({ remove: true, restart: 'always' })).toEqual({ restart: 'remove-restart' });
    });

    it('reads sizes as docker does', () => {
        expect([bytesOf('512m'), bytesOf('1k'), bytesOf('10'), bytesOf('1.5GB'), bytesOf('x')]).toEqual([536_870_912, 1024, 10, 1_610_612_736, null]);
        expect(bindingsOf({ ...blankPort, inside: '80' }, 0)).toEqual([{ line: 0, address: '', outside: 0, inside: 80, protocol: 'tcp' }]);
    });
});

describe('ports', () => {
    const web = rowOf({ Id: 'a', Names: ['/web'], State: 'running', Ports: [{ IP: '127.0.0.1', PublicPort: 8080, PrivatePort: 80, Type: 'tcp' }] } as never);
    const wants = (address: string, outside: string, protocol: 'tcp' | 'udp' = 'tcp') => form({ ports: [{ address, outside, inside: outside, protocol }] });

    it('finds the container that holds one', () => {
        expect(conflictsOf(wants('', '8080'), [web]).get(0)).toEqual({ port: 8080, protocol: 'tcp', container: 'web' });
        expect(conflictsOf(wants('', '8075-8085'), [web]).get(0)?.port).toBe(8080);
    });

    it('knows addresses and protocols apart', () => {
        expect(conflictsOf(wants('127.0.0.2', '8080'), [web]).size).toBe(0);
        expect(conflictsOf(wants('', '8080', 'udp'), [web]).size).toBe(0);
        expect(conflictsOf(form({ ports: [...wants('', '90').ports, ...wants('', '90').ports] }), []).get(1)?.container).toBeNull();
    });

    it('blames the line, and whoever holds the port', () => {
        const message = 'failed to bind host port for 127.0.0.1:8080: address already in use';
        expect(blame(message, wants('', '8080'), [])).toEqual({ place: 'port:0', kind: 'port', port: 8080, holder: null });
        expect(blame(message, wants('', '8080'), [web])).toMatchObject({ holder: 'web' });
        expect(portOfError('Bind for [::]:80 failed: port is already allocated')).toBe(80);
        expect(portOfError('Conflict. The container name "/a" is already in use by container "x:8"')).toBeNull();
    });
});

it.each([
    ['Conflict. The container name "/web" is already in use by container "abc"', 'name'],
    ['No such image: nope:latest', 'image'],
    ['unable to find user nobody1: no matching entries in passwd file', 'user'],
    ['network shop not found', 'network'],
    ['Minimum memory limit allowed is 6MB', 'memory'],
    ['exec: "frob": executable file not found in $PATH', 'command'],
    ['the disk is full', null],
])('blames the field of “%s”', (message, place) => expect(blame(message, form({}), []).place).toBe(place));
