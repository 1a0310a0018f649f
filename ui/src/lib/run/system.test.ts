import { describe, expect, it } from 'vitest';
import { blame } from './conflicts';
import { planOf } from './create';
import { blank, type RunForm } from './form';
import { listsOf, typedOf } from './lists';
import { parseLine } from './parse';
import { deviceOf, gpusOf, nanosecondsOf, ulimitOf } from './system';

const form = (more: Partial<RunForm>): RunForm => ({ ...blank, image: 'nginx', ...more });
const wrong = (more: Partial<RunForm>) => Object.fromEntries(planOf(form(more)).wrong);

it('says to the engine what docker run would', () => {
    const line =
        "docker run --device /dev/fuse --device=vendor.com/net=eth0 --gpus '\"device=0,1\"' --ulimit nofile=1024:2048 --sysctl 'net.ipv4.ip_local_port_range=1024 65535' --security-opt no-new-privileges --security-opt systempaths=unconfined --dns 1.1.1.1 --dns-opt ndots:2 --dns-search corp.example --log-driver json-file --log-opt max-size=10m --health-cmd 'wget -q localhost' --health-interval 1m30s --health-retries 2 nginx";
    const { form: read, problems } = parseLine(line);
    expect(problems).toEqual([]);
    expect(read.others).toEqual([]);
    expect(planOf(read).body).toMatchObject({
        Healthcheck: { Test: ['CMD-SHELL', 'wget -q localhost'], Interval: 90e9, Retries: 2 },
        HostConfig: {
            Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' }],
            DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['vendor.com/net=eth0'] }, { DeviceIDs: ['0', '1'], Capabilities: [['gpu']] }],
            Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 2048 }],
            Sysctls: { 'net.ipv4.ip_local_port_range': '1024 65535' },
            SecurityOpt: ['no-new-privileges'],
            MaskedPaths: [],
            Dns: ['1.1.1.1'],
            DnsOptions: ['ndots:2'],
            DnsSearch: ['corp.example'],
            LogConfig: { Type: 'json-file', Config: { 'max-size': '10m' } },
        },
    });
    expect(planOf(form({})).body?.HostConfig).not.toHaveProperty('LogConfig');
    expect(planOf(form({ noHealth: true })).body).toMatchObject({ Healthcheck: { Test: ['NONE'] } });
});

it('says at which field something is wrong', () => {
    expect(wrong({ devices: ['fuse'], gpus: 'some', ulimits: ['nofile=9:1'], sysctls: ['x'], dns: ['dns.example'] })).toEqual({ devices: 'device', gpus: 'gpus', ulimits: 'ulimit', sysctls: 'assignment', dns: 'dns' });
    expect(wrong({ security: ['seccomp=/home/me/profile.json'] })).toEqual({ security: 'seccomp-file' });
    expect(wrong({ logDriver: 'none', logOptions: ['max-size=1m'] })).toEqual({ logOptions: 'log-none' });
    expect(wrong({ noHealth: true, healthCommand: 'true' })).toEqual({ healthCommand: 'health-off' });
    expect(wrong({ healthInterval: '5', healthRetries: 'x' })).toEqual({ healthInterval: 'duration', healthRetries: 'health-retries' });
});

describe('the parts', () => {
    it.each([
        ['/dev/a:r', { PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'r' }],
        ['/dev/a:/dev/b', { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rwm' }],
        ['/dev/a:/dev/b:rw', { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rw' }],
        ['/dev/a:/dev/b:x', null],
        ['/dev/a:rr', null],
    ])('device %s', (text, device) => expect(deviceOf(text)).toEqual(device));

    it.each([
        ['all', { Count: -1, Capabilities: [['gpu']] }],
        ['2', { Count: 2, Capabilities: [['gpu']] }],
        ['driver=nvidia', { Driver: 'nvidia', Count: 1, Capabilities: [['gpu']] }],
        ['count=1,device=0', null],
    ])('gpus %s', (text, request) => expect(gpusOf(text)).toEqual(request));

    it('limits and durations', () => {
        expect(ulimitOf('core=-1')).toEqual({ Name: 'core', Soft: -1, Hard: -1 });
        expect(ulimitOf('core=-1:5')).toBeNull();
        expect([nanosecondsOf('1m30s'), nanosecondsOf('500ms'), nanosecondsOf('1.5h'), nanosecondsOf('5')]).toEqual([90e9, 5e8, 5.4e12, null]);
    });

    it('lists as they are typed', () => {
        const made = form({ dns: ['1.1.1.1', '9.9.9.9'], sysctls: ['a=1 2', 'b=3'] });
        expect(typedOf(made)).toMatchObject({ dns: '1.1.1.1 9.9.9.9', sysctls: 'a=1 2\nb=3' });
        expect(listsOf(typedOf(made))).toMatchObject({ dns: made.dns, sysctls: made.sysctls, devices: [] });
    });
});

it.each([
    ['could not select device driver "" with capabilities: [[gpu]]', 'gpus'],
    ['invalid ulimit type: nofiles', 'ulimits'],
    ['sysctl "kernel.x" is not in a separate kernel namespace', 'sysctls'],
    ['logger: no log driver named "frob" is registered', 'logDriver'],
    ['error gathering device information while adding custom device "/dev/x": no such file or directory', 'devices'],
])('blames the field of “%s”', (message, place) => expect(blame(message, form({}), []).place).toBe(place));
