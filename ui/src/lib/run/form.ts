// What a person says about a container that is to run. Fields are text as it
// was typed; what it means is worked out in ./create, and how it is said to
// docker in ./line.

export type Protocol = 'tcp' | 'udp' | 'sctp';
export type MountKind = 'volume' | 'bind' | 'tmpfs';
export type Restart = 'no' | 'always' | 'unless-stopped' | 'on-failure';
export type PullPolicy = 'missing' | 'always' | 'never';

export interface PortLine {
    /** Of this machine; '' is all of them. */
    readonly address: string;
    /** '' lets the engine choose. May be a range. */
    readonly outside: string;
    readonly inside: string;
    readonly protocol: Protocol;
}

export interface PairLine {
    readonly name: string;
    readonly value: string;
}

export interface MountLine {
    readonly kind: MountKind;
    /** A volume's name ('' makes one), or a folder of this machine. */
    readonly source: string;
    readonly target: string;
    readonly readOnly: boolean;
    /** Docker's other options, between commas. */
    readonly options: string;
}

export interface RunForm {
    readonly image: string;
    readonly name: string;
    /** Words as in a shell. */
    readonly command: string;
    /** One program; '' leaves the image's. */
    readonly entrypoint: string;
    readonly ports: readonly PortLine[];
    readonly environment: readonly PairLine[];
    readonly mounts: readonly MountLine[];
    readonly labels: readonly PairLine[];
    readonly restart: Restart;
    /** For `on-failure`; '' is without end. */
    readonly retries: string;
    readonly memory: string;
    readonly cpus: string;
    readonly user: string;
    readonly workdir: string;
    readonly hostname: string;
    readonly network: string;
    readonly privileged: boolean;
    readonly capabilitiesAdded: readonly string[];
    readonly capabilitiesDropped: readonly string[];
    readonly hosts: readonly string[];
    /** `/dev/here[:/dev/there[:rwm]]`, or a name of CDI's. */
    readonly devices: readonly string[];
    /** `all`, a number, or `device=…` and such between commas. */
    readonly gpus: string;
    /** `name=soft[:hard]` */
    readonly ulimits: readonly string[];
    /** `name=value` */
    readonly sysctls: readonly string[];
    readonly security: readonly string[];
    readonly dns: readonly string[];
    readonly dnsSearch: readonly string[];
    readonly dnsOptions: readonly string[];
    readonly logDriver: string;
    /** `name=value` */
    readonly logOptions: readonly string[];
    /** None, whatever the image says. */
    readonly noHealth: boolean;
    readonly healthCommand: string;
    readonly healthInterval: string;
    readonly healthTimeout: string;
    readonly healthRetries: string;
    readonly healthStartPeriod: string;
    readonly healthStartInterval: string;
    readonly init: boolean;
    readonly readOnly: boolean;
    readonly interactive: boolean;
    readonly terminal: boolean;
    readonly remove: boolean;
    readonly publishAll: boolean;
    readonly pull: PullPolicy;
    readonly platform: string;
    /** Flags of a pasted line that this form has no field for, as words. */
    readonly others: readonly (readonly string[])[];
}

type Loose<T> = T extends string | number | boolean ? T : T extends readonly (infer E)[] ? Loose<E>[] : { -readonly [K in keyof T]: Loose<T[K]> };

/** The form while somebody types in it. */
export type Draft = Loose<RunForm>;

export const blank: RunForm = {
    image: '',
    name: '',
    command: '',
    entrypoint: '',
    ports: [],
    environment: [],
    mounts: [],
    labels: [],
    restart: 'no',
    retries: '',
    memory: '',
    cpus: '',
    user: '',
    workdir: '',
    hostname: '',
    network: '',
    privileged: false,
    capabilitiesAdded: [],
    capabilitiesDropped: [],
    hosts: [],
    devices: [],
    gpus: '',
    ulimits: [],
    sysctls: [],
    security: [],
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    logDriver: '',
    logOptions: [],
    noHealth: false,
    healthCommand: '',
    healthInterval: '',
    healthTimeout: '',
    healthRetries: '',
    healthStartPeriod: '',
    healthStartInterval: '',
    init: false,
    readOnly: false,
    interactive: false,
    terminal: false,
    remove: false,
    publishAll: false,
    pull: 'missing',
    platform: '',
    others: [],
};

export const blankPort: PortLine = { address: '', outside: '', inside: '', protocol: 'tcp' };
export const blankPair: PairLine = { name: '', value: '' };
export const blankMount: MountLine = { kind: 'volume', source: '', target: '', readOnly: false, options: '' };

/** Lines of KEY=VALUE, as in an .env file: comments, `export`, and quotes around values are taken off. */
export function pairsOf(text: string): PairLine[] {
    return text.split(/\r?\n/).flatMap((line) => {
        const bare = line.trim().replace(/^export\s+/, '');
        const at = bare.indexOf('=');
        if (at < 1 || bare.startsWith('#')) return [];
        const value = bare.slice(at + 1);
        const quoted = /^"(.*)"$|^'(.*)'$/s.exec(value);
        return [{ name: bare.slice(0, at).trim(), value: quoted?.[1] ?? quoted?.[2] ?? value }];
    });
}
