// The part of the form that is about the machine: devices, limits, kernel
// settings, security, names, logging and the health check; as the engine wants
// it, and what is wrong before it is asked. What `docker run` does with each
// flag before it sends it is done here too.
import type { Schemas } from '$lib/api/client';
import type { RunForm } from './form';
import { csvFields } from './parse';

export type SystemWrong = 'device' | 'gpus' | 'ulimit' | 'assignment' | 'seccomp-file' | 'dns' | 'log-none' | 'duration' | 'health-off' | 'health-retries';

export interface System {
    readonly host: Partial<Schemas['HostConfig']>;
    readonly config: Partial<Schemas['ContainerConfig']>;
    readonly wrong: ReadonlyMap<string, SystemWrong>;
}

type Device = NonNullable<Schemas['HostConfig']['Devices']>[number];
type DeviceRequest = NonNullable<Schemas['HostConfig']['DeviceRequests']>[number];
type Ulimit = NonNullable<Schemas['HostConfig']['Ulimits']>[number];

const CDI = /^[a-zA-Z][\w.-]*\/[a-zA-Z][\w.-]*=[\w.:-]+$/;
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/;

export function systemOf(form: RunForm): System {
    const wrong = new Map<string, SystemWrong>();
    const check = <T>(place: string, made: T | null, what: SystemWrong): made is T => {
        if (made === null && !wrong.has(place)) wrong.set(place, what);
        return made !== null;
    };
    const devices = form.devices.filter((device) => !CDI.test(device)).map(deviceOf).filter((device) => check('devices', device, 'device'));
    const gpus = form.gpus.trim() === '' ? null : gpusOf(form.gpus.trim());
    if (form.gpus.trim() !== '') check('gpus', gpus, 'gpus');
    const requests: DeviceRequest[] = [
        ...form.devices.filter((device) => CDI.test(device)).map((device) => ({ Driver: 'cdi', DeviceIDs: [device] })),
        ...(gpus === null ? [] : [gpus]),
    ];
    const ulimits = form.ulimits.map(ulimitOf).filter((limit) => check('ulimits', limit, 'ulimit'));
    const sysctls = form.sysctls.map(assignment).filter((pair) => check('sysctls', pair, 'assignment'));
    const logOptions = form.logOptions.map(assignment).filter((pair) => check('logOptions', pair, 'assignment'));
    if (form.logDriver === 'none' && form.logOptions.length > 0) wrong.set('logOptions', 'log-none');
    for (const server of form.dns) if (!ADDRESS.test(server)) wrong.set('dns', 'dns');
    // A terminal reads the profile from its own machine and sends what is in it.
    for (const option of form.security) if (/^seccomp[=:](?!unconfined$|builtin$|\s*\{)/.test(option)) wrong.set('security', 'seccomp-file');
    const health = healthOf(form, wrong);
    const open = form.security.includes('systempaths=unconfined');
    const security = form.security.filter((option) => option !== 'systempaths=unconfined');
    return {
        wrong,
        config: health === null ? {} : { Healthcheck: health },
        host: {
            ...(devices.length === 0 ? {} : { Devices: devices }),
            ...(requests.length === 0 ? {} : { DeviceRequests: requests }),
            ...(ulimits.length === 0 ? {} : { Ulimits: ulimits }),
            ...(sysctls.length === 0 ? {} : { Sysctls: Object.fromEntries(sysctls) }),
            ...(security.length === 0 ? {} : { SecurityOpt: security }),
            ...(open ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
            ...(form.dns.length === 0 ? {} : { Dns: [...form.dns] }),
            ...(form.dnsSearch.length === 0 ? {} : { DnsSearch: [...form.dnsSearch] }),
            ...(form.dnsOptions.length === 0 ? {} : { DnsOptions: [...form.dnsOptions] }),
            ...(form.logDriver === '' && logOptions.length === 0 ? {} : { LogConfig: { Type: form.logDriver as 'json-file', Config: Object.fromEntries(logOptions) } }),
        },
    };
}

/** `/dev/here`, `/dev/here:rwm`, `/dev/here:/dev/there`, `/dev/here:/dev/there:rwm` */
export function deviceOf(text: string): Device | null {
    const [source = '', second, third, ...more] = text.split(':');
    if (!source.startsWith('/') || more.length > 0) return null;
    const isMode = (part: string) => /^[rwm]{1,3}$/.test(part) && new Set(part).size === part.length;
    if (third !== undefined) return second?.startsWith('/') && isMode(third) ? { PathOnHost: source, PathInContainer: second, CgroupPermissions: third } : null;
    if (second === undefined) return { PathOnHost: source, PathInContainer: source, CgroupPermissions: 'rwm' };
    if (isMode(second)) return { PathOnHost: source, PathInContainer: source, CgroupPermissions: second };
    return second.startsWith('/') ? { PathOnHost: source, PathInContainer: second, CgroupPermissions: 'rwm' } : null;
}

/** `all`, `2`, `device=0`, `"device=0,1"`, `driver=…`, `capabilities=…` */
export function gpusOf(text: string): DeviceRequest | null {
    const request: { Driver?: string; Count?: number; DeviceIDs?: string[]; Capabilities: string[][] } = { Capabilities: [['gpu']] };
    for (const field of csvFields(text)) {
        const at = field.indexOf('=');
        const [key, value] = at === -1 ? ['count', field] : [field.slice(0, at), field.slice(at + 1)];
        if (key === 'count') {
            const count = value === 'all' ? -1 : /^\d+$/.test(value) ? Number(value) : null;
            if (count === null) return null;
            request.Count = count;
        } else if (key === 'device' && value !== '') request.DeviceIDs = value.split(',');
        else if (key === 'driver') request.Driver = value;
        else if (key === 'capabilities') request.Capabilities = [[...new Set([...value.split(','), 'gpu'])]];
        else return null;
    }
    // Both at once mean nothing to an engine.
    if (request.Count !== undefined && request.DeviceIDs !== undefined) return null;
    return request.DeviceIDs === undefined ? { ...request, Count: request.Count ?? 1 } : request;
}

/** `name=soft[:hard]`; -1 is without end. */
export function ulimitOf(text: string): Ulimit | null {
    const found = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(text);
    if (found === null) return null;
    const soft = Number(found[2]);
    const hard = Number(found[3] ?? found[2]);
    if (hard !== -1 && (soft === -1 || soft > hard)) return null;
    return { Name: found[1] ?? '', Soft: soft, Hard: hard };
}

function assignment(text: string): [string, string] | null {
    const at = text.indexOf('=');
    return at < 1 ? null : [text.slice(0, at).trim(), text.slice(at + 1)];
}

const DURATIONS = ['healthInterval', 'healthTimeout', 'healthStartPeriod', 'healthStartInterval'] as const;

function healthOf(form: RunForm, wrong: Map<string, SystemWrong>): Schemas['HealthConfig'] | null {
    const said = form.healthCommand !== '' || form.healthRetries !== '' || DURATIONS.some((name) => form[name] !== '');
    if (form.noHealth) {
        if (said) wrong.set('healthCommand', 'health-off');
        return { Test: ['NONE'] };
    }
    if (!said) return null;
    if (form.healthRetries !== '' && !/^\d+$/.test(form.healthRetries)) wrong.set('healthRetries', 'health-retries');
    const [interval, timeout, startPeriod, startInterval] = DURATIONS.map((name) => {
        const nanoseconds = form[name] === '' ? 0 : nanosecondsOf(form[name]);
        if (nanoseconds === null) wrong.set(name, 'duration');
        return nanoseconds ?? 0;
    });
    return {
        ...(form.healthCommand === '' ? {} : { Test: ['CMD-SHELL', form.healthCommand] }),
        ...(interval ? { Interval: interval } : {}),
        ...(timeout ? { Timeout: timeout } : {}),
        ...(startPeriod ? { StartPeriod: startPeriod } : {}),
        ...(startInterval ? { StartInterval: startInterval } : {}),
        ...(form.healthRetries === '' ? {} : { Retries: Number(form.healthRetries) }),
    };
}

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3_600e9 };

/** Durations as docker takes them: `30s`, `1m30s`, `1.5h`, `500ms`. */
export function nanosecondsOf(text: string): number | null {
    if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return text === '0' ? 0 : null;
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
    return Math.round(parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (UNITS[unit] ?? 0), 0));
}
