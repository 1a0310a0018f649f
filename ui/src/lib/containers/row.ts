// A container as one row of the list: everything that is shown, worked out
// once when the engine tells of a change.
import type { Schemas } from '$lib/api/client';
import { portsOf, type Port } from './ports';
import { exitCodeOf, healthOf, isCrash, stateOf, toneOf, type Health, type State, type Tone } from './state';

export interface Row {
    readonly id: string;
    readonly name: string;
    /** The Compose project, or ''. */
    readonly project: string;
    readonly service: string;
    readonly image: string;
    readonly imageId: string;
    readonly command: string;
    readonly state: State;
    readonly health: Health;
    readonly exitCode: number | null;
    readonly crashed: boolean;
    readonly tone: Tone;
    /** The engine's own words: "Up 5 minutes (healthy)". */
    readonly status: string;
    readonly ports: readonly Port[];
    /** Seconds since 1970. */
    readonly created: number;
    /** Lower case, all that a search looks at. */
    readonly haystack: string;
    /** As the engine told it: mounts, networks and ports are other screens' matter. */
    readonly summary: Schemas['ContainerSummary'];
    /** Sorts as people count: "web-2" before "web-10". Worked out once, since comparing by language is slow. */
    readonly order: string;
}

/** Numbers in it get a width of their own. */
export const orderOf = (name: string): string => name.toLowerCase().replace(/\d+/g, (digits) => digits.replace(/^0+(?=\d)/, '').padStart(12, '0'));

export function rowOf(container: Schemas['ContainerSummary']): Row {
    const labels = container.Labels ?? {};
    const id = container.Id ?? '';
    const status = container.Status ?? '';
    const state = stateOf(container.State);
    const health = healthOf(status);
    const exitCode = exitCodeOf(status);
    const project = labels['com.docker.compose.project'] ?? '';
    const service = labels['com.docker.compose.service'] ?? '';
    // Links give a container more names, which have more than one slash.
    const own = (container.Names ?? []).find((name) => name.lastIndexOf('/') === 0) ?? container.Names?.[0];
    const name = own?.replace(/^\//, '') ?? id.slice(0, 12);
    const image = container.Image ?? '';
    const ports = portsOf(container.Ports ?? []);
    return {
        id,
        name,
        project,
        service,
        image,
        imageId: container.ImageID ?? '',
        command: container.Command ?? '',
        state,
        health,
        exitCode,
        crashed: isCrash(state, exitCode),
        tone: toneOf(state, health, exitCode),
        status,
        ports,
        created: container.Created ?? 0,
        order: orderOf(name),
        haystack: [name, project, service, image, id, state, ...ports.flatMap((port) => [port.label, port.detail])].join('\n').toLowerCase(),
        summary: container,
    };
}
