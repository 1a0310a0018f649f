// What the form means to the engine, and what is wrong with it before the
// engine is asked. Each wrong thing is told at the field that it is in.
import type { Schemas } from '$lib/api/client';
import { isContainerName } from '$lib/containers/name';
import { parseReference } from '$lib/reference/reference';
import type { MountLine, PortLine, RunForm } from './form';
import { split } from './shell';
import { systemOf, type System, type SystemWrong } from './system';

/** Where in the form: a field, or a line of a list of fields. */
export type Place = string;

export const portPlace = (index: number): Place => `port:${index}`;
export const mountPlace = (index: number): Place => `mount:${index}`;
export const pairPlace = (list: 'environment' | 'labels', index: number): Place => `${list}:${index}`;

export type Wrong =
    | 'image-missing'
    | 'image'
    | 'name'
    | 'quote'
    | 'port'
    | 'port-ranges'
    | 'port-missing'
    | 'size'
    | 'number'
    | 'target'
    | 'source-bind'
    | 'source-volume'
    | 'target-missing'
    | 'pair-name'
    | 'remove-restart'
    | 'path'
    | 'retries'
    | SystemWrong;

export type CreateBody = Schemas['ContainerConfig'] & { HostConfig: Schemas['HostConfig'] };

export interface Plan {
    readonly body: CreateBody | null;
    readonly wrong: ReadonlyMap<Place, Wrong>;
}

export interface Binding {
    /** Which line of the form it is from. */
    readonly line: number;
    readonly address: string;
    /** 0 where the engine chooses. */
    readonly outside: number;
    readonly inside: number;
    readonly protocol: string;
}

const VOLUME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export function planOf(form: RunForm): Plan {
    const wrong = new Map<Place, Wrong>();
    if (form.image.trim() === '') wrong.set('image', 'image-missing');
    // An image may be named by its id, too.
    else if (parseReference(form.image.trim()) === null && !/^sha256:[0-9a-f]{6,64}$/.test(form.image.trim())) wrong.set('image', 'image');
    if (form.name !== '' && !isContainerName(form.name)) wrong.set('name', 'name');
    const command = split(form.command);
    if (command.error !== null) wrong.set('command', 'quote');
    if (form.workdir !== '' && !form.workdir.startsWith('/')) wrong.set('workdir', 'path');
    const memory = form.memory === '' ? 0 : bytesOf(form.memory);
    if (memory === null) wrong.set('memory', 'size');
    const cpus = form.cpus === '' ? 0 : Number(form.cpus);
    if (!(cpus >= 0) || !Number.isFinite(cpus)) wrong.set('cpus', 'number');
    if (form.remove && form.restart !== 'no') wrong.set('restart', 'remove-restart');
    if (form.retries !== '' && !/^\d+$/.test(form.retries)) wrong.set('retries', 'retries');
    const bindings = form.ports.flatMap((port, index) => {
        const found = bindingsOf(port, index);
        if (typeof found !== 'string') return found;
        wrong.set(portPlace(index), found);
        return [];
    });
    for (const [index, mount] of form.mounts.entries()) {
        const problem = mountProblem(mount);
        if (problem !== null) wrong.set(mountPlace(index), problem);
    }
    for (const list of ['environment', 'labels'] as const) {
        for (const [index, pair] of form[list].entries()) {
            if ((pair.name === '' && pair.value !== '') || pair.name.includes('=')) wrong.set(pairPlace(list, index), 'pair-name');
        }
    }
    const system = systemOf(form);
    for (const [place, what] of system.wrong) wrong.set(place, what);
    if (wrong.size > 0) return { body: null, wrong };
    return { body: bodyOf(form, command.words, memory ?? 0, cpus, bindings, system), wrong };
}

function bodyOf(form: RunForm, command: readonly string[], memory: number, cpus: number, bindings: readonly Binding[], system: System): CreateBody {
    const mounts = form.mounts.filter((mount) => mount.target !== '');
    const short = mounts.filter((mount) => mount.kind !== 'tmpfs' && mount.source !== '' && !needsLongForm(mount));
    const long = mounts.filter((mount) => mount.kind !== 'tmpfs' && needsLongForm(mount));
    const anonymous = mounts.filter((mount) => mount.kind === 'volume' && mount.source === '' && !needsLongForm(mount));
    const tmpfs = mounts.filter((mount) => mount.kind === 'tmpfs');
    const exposed = bindings.map(({ inside, protocol }) => `${inside}/${protocol}`);
    return {
        Image: form.image.trim(),
        ...(command.length === 0 ? {} : { Cmd: [...command] }),
        ...(form.entrypoint === '' ? {} : { Entrypoint: [form.entrypoint] }),
        Env: form.environment.filter(({ name }) => name !== '').map(({ name, value }) => `${name}=${value}`),
        Labels: Object.fromEntries(form.labels.filter(({ name }) => name !== '').map(({ name, value }) => [name, value])),
        User: form.user,
        WorkingDir: form.workdir,
        Hostname: form.hostname,
        Tty: form.terminal,
        OpenStdin: form.interactive,
        StdinOnce: false,
        ...system.config,
        ...(exposed.length === 0 ? {} : { ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])) }),
        ...(anonymous.length === 0 ? {} : { Volumes: Object.fromEntries(anonymous.map(({ target }) => [target, {}])) }),
        HostConfig: {
            ...(short.length === 0 ? {} : { Binds: short.map(bindOf) }),
            ...(long.length === 0
                ? {}
                : { Mounts: long.map(({ kind, source, target, readOnly }) => ({ Type: kind, ...(source === '' ? {} : { Source: source }), Target: target, ReadOnly: readOnly })) }),
            ...(tmpfs.length === 0
                ? {}
                : { Tmpfs: Object.fromEntries(tmpfs.map(({ target, options, readOnly }) => [target, [options, readOnly ? 'ro' : ''].filter((part) => part !== '').join(',')])) }),
            PortBindings: portBindings(bindings),
            PublishAllPorts: form.publishAll,
            RestartPolicy: { Name: form.restart, ...(form.restart === 'on-failure' ? { MaximumRetryCount: Number(form.retries || 0) } : {}) },
            AutoRemove: form.remove,
            Memory: memory,
            NanoCpus: Math.round(cpus * 1e9),
            NetworkMode: form.network === '' ? 'default' : form.network,
            Privileged: form.privileged,
            ...(form.init ? { Init: true } : {}),
            ReadonlyRootfs: form.readOnly,
            CapAdd: [...form.capabilitiesAdded],
            CapDrop: [...form.capabilitiesDropped],
            ExtraHosts: [...form.hosts],
            ...system.host,
        },
    } as CreateBody;
}

const needsLongForm = ({ source, target }: MountLine) => source.includes(':') || target.includes(':');

function bindOf({ source, target, readOnly, options }: MountLine): string {
    const more = [readOnly ? 'ro' : '', options].filter((part) => part !== '').join(',');
    return more === '' ? `${source}:${target}` : `${source}:${target}:${more}`;
}

function portBindings(bindings: readonly Binding[]): Record<string, { HostIp: string; HostPort: string }[]> {
    const all: Record<string, { HostIp: string; HostPort: string }[]> = {};
    for (const { inside, protocol, address, outside } of bindings) {
        (all[`${inside}/${protocol}`] ??= []).push({ HostIp: address, HostPort: outside === 0 ? '' : String(outside) });
    }
    return all;
}

function mountProblem({ kind, source, target }: MountLine): Wrong | null {
    if (target === '') return source === '' ? null : 'target-missing';
    if (!target.startsWith('/')) return 'target';
    if (kind === 'bind' && !source.startsWith('/')) return 'source-bind';
    if (kind === 'volume' && source !== '' && !VOLUME.test(source)) return 'source-volume';
    return null;
}

/** Each port of a line, ranges taken apart. */
export function bindingsOf(port: PortLine, line: number): Binding[] | Wrong {
    if (port.inside === '') return port.outside === '' ? [] : 'port-missing';
    const inside = rangeOf(port.inside);
    const outside = port.outside === '' ? null : rangeOf(port.outside);
    if (inside === null || (port.outside !== '' && outside === null)) return 'port';
    const count = inside[1] - inside[0];
    if (outside !== null && outside[1] - outside[0] !== count) return 'port-ranges';
    return Array.from({ length: count + 1 }, (_, index) => ({
        line,
        address: port.address,
        outside: outside === null ? 0 : outside[0] + index,
        inside: inside[0] + index,
        protocol: port.protocol,
    }));
}

function rangeOf(text: string): [number, number] | null {
    const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim());
    if (found === null) return null;
    const from = Number(found[1]);
    const to = Number(found[2] ?? found[1]);
    return from >= 1 && to <= 65_535 && from <= to ? [from, to] : null;
}

const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Docker's sizes of memory: `512m`, `1.5g`, bytes without a unit. */
export function bytesOf(text: string): number | null {
    const found = /^(\d+(?:\.\d+)?)\s*([bkmgt])?i?b?$/i.exec(text.trim());
    if (found === null) return null;
    return Math.floor(Number(found[1]) * (UNITS[(found[2] ?? 'b').toLowerCase()] ?? 1));
}
