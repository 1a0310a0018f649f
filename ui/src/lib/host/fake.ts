// A host for tests: every answer is told beforehand, every request is kept.
import type { Capability, CommandLine, CommandLineState, Duplex, EngineRequest, Host, Registries, RegistryLogin } from './types';

type Answer = Response | Error | object | ((request: EngineRequest) => Response | object | Promise<Response>);

export interface FakeHost extends Host {
    readonly requests: EngineRequest[];
    readonly copied: string[];
    /** The newest answer told for a path (without version and query) wins. */
    on(method: string, path: string, answer: Answer): void;
    onOpen(make: (request: EngineRequest) => Duplex): void;
}

/** What the host is to offer beyond what every host does. */
export interface Offers {
    /** Who is logged in where; changed in place. A login with the secret `wrong` is refused. */
    readonly logins?: RegistryLogin[];
    /** Where links are; changed by `install` and `remove`. */
    readonly commandLine?: CommandLineState;
}

export function fakeHost(offers: Offers = {}): FakeHost {
    const answers = new Map<string, Answer>();
    const requests: EngineRequest[] = [];
    const copied: string[] = [];
    const kept = new Map<string, string>();
    let opener: ((request: EngineRequest) => Duplex) | null = null;

    return {
        kind: 'fake',
        requests,
        copied,
        on: (method, path, answer) => void answers.set(`${method} ${path}`, answer),
        onOpen: (make) => void (opener = make),
        async request(request) {
            requests.push(request);
            const path = request.path.replace(/\?.*$/, '').replace(/^\/v[\d.]+(?=\/)/, '');
            const told = answers.get(`${request.method} ${path}`);
            const answer = typeof told === 'function' ? await told(request) : told;
            if (answer === undefined) return Response.json({ message: `no answer told for ${path}` }, { status: 404 });
            if (answer instanceof Error) throw answer;
            return answer instanceof Response ? answer.clone() : Response.json(answer);
        },
        async open(request) {
            requests.push(request);
            if (opener === null) throw new Error('nothing to open was told');
            return opener(request);
        },
        native: {
            capabilities: capabilitiesOf(offers),
            engineAddress: async () => 'unix:///run/fake.sock',
            openExternal: async () => undefined,
            saveFile: async () => undefined,
            copyText: async (text) => void copied.push(text),
            notify: async () => undefined,
            settings: { get: (key) => kept.get(key) ?? null, set: (key, value) => void kept.set(key, value) },
            ...(offers.logins === undefined ? {} : { registries: fakeRegistries(offers.logins) }),
            ...(offers.commandLine === undefined ? {} : { commandLine: fakeCommandLine(offers.commandLine) }),
        },
    };
}

function capabilitiesOf({ logins, commandLine }: Offers): ReadonlySet<Capability> {
    return new Set<Capability>([...(logins === undefined ? [] : ['registries' as const]), ...(commandLine === undefined ? [] : ['commandLine' as const])]);
}

function fakeRegistries(logins: RegistryLogin[]): Registries {
    const forget = (server: string) => {
        const at = logins.findIndex((login) => login.server === server);
        if (at !== -1) logins.splice(at, 1);
    };
    return {
        list: async () => [...logins],
        logIn: async ({ server, user, secret }) => {
            if (secret === 'wrong') throw new Error('unauthorized: incorrect username or password');
            forget(server);
            logins.push({ server, user, store: 'file' });
            return 'Login Succeeded';
        },
        logOut: async (server) => forget(server),
    };
}

function fakeCommandLine(first: CommandLineState): CommandLine {
    let now = first;
    return {
        state: async () => now,
        install: async (scope) => {
            now = { ...now, found: now[scope].path, ours: true };
        },
        remove: async () => {
            now = { ...now, found: '', ours: false };
        },
    };
}
