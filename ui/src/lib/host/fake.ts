// A host for tests: every answer is told beforehand, every request is kept.
import type { Duplex, EngineRequest, Host } from './types';

type Answer = Response | Error | object | ((request: EngineRequest) => Response | object | Promise<Response>);

export interface FakeHost extends Host {
    readonly requests: EngineRequest[];
    readonly copied: string[];
    /** The newest answer told for a path (without version and query) wins. */
    on(method: string, path: string, answer: Answer): void;
    onOpen(make: (request: EngineRequest) => Duplex): void;
}

export function fakeHost(): FakeHost {
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
            capabilities: new Set(),
            engineAddress: async () => 'unix:///run/fake.sock',
            openExternal: async () => undefined,
            saveFile: async () => undefined,
            copyText: async (text) => void copied.push(text),
            notify: async () => undefined,
            settings: { get: (key) => kept.get(key) ?? null, set: (key, value) => void kept.set(key, value) },
        },
    };
}
