// The host of a page that `dhow dashboard` serves: same origin, one session.
import { engineError } from '$lib/api/error';
import { patiently } from '$lib/engine/patience';
import {
    BRIDGE_HEADER,
    END,
    ENGINE,
    HOST,
    OPEN,
    REGISTRIES,
    SESSION,
    SESSION_HEADER,
    type HostDescription,
    type LoginsAnswer,
    type OpenAnswer,
    type OpenRequest,
    type SessionAnswer,
} from './contract';
import { HostError, type Duplex, type EngineRequest, type Host, type Native, type Registries } from './types';

/** Kept for this origin, port included: a second tab and a reload need it. */
const KEY = 'dhow.session';

/**
 * Trades the token in the address for a session and takes it out of the
 * address, so that neither history nor a copied link carries it.
 */
export async function enterSession(place: Location, past: History): Promise<void> {
    const token = /^#token=([^&]+)$/.exec(place.hash)?.[1];
    if (token === undefined) return;
    past.replaceState(null, '', `${place.pathname}${place.search}`);
    // A token that was used is no reason to stop: the session may be here.
    const answer = await patiently(() => fetch(SESSION, { method: 'POST', body: JSON.stringify({ token }) })).catch(() => null);
    if (answer?.ok !== true) return;
    const { key } = (await answer.json()) as SessionAnswer;
    localStorage.setItem(KEY, key);
}

const session = () => localStorage.getItem(KEY) ?? '';

export function browserHost(): Host {
    return { kind: 'browser', request, open, native: native() };
}

async function request(wanted: EngineRequest): Promise<Response> {
    const { method, path, headers, body, signal, stays = false } = wanted;
    if (stays && (body === undefined || body === null || typeof body === 'string')) return streamed(wanted);
    let answer: Response;
    try {
        const ask = () =>
            fetch(`${ENGINE}${path}`, {
                method,
                cache: 'no-store',
                credentials: 'same-origin',
                headers: { ...headers, [SESSION_HEADER]: session() },
                ...(body === undefined ? {} : { body }),
                ...(signal === undefined ? {} : { signal }),
            });
        // Only what changes nothing may be asked twice.
        answer = await (method === 'GET' || method === 'HEAD' ? patiently(ask) : ask());
    } catch (error) {
        if (signal?.aborted) throw error;
        throw new HostError('unreachable', error instanceof Error ? error.message : String(error));
    }
    const failure = answer.headers.get(BRIDGE_HEADER);
    if (failure === null) return answer;
    throw refused(failure, await answer.text().catch(() => ''));
}

/** An answer that stays open. */
async function streamed(wanted: EngineRequest): Promise<Response> {
    const { answer, readable } = await connect(wanted);
    const body = answer.status >= 200 && answer.status < 300 ? readable : (answer.body ?? '');
    return new Response(body, { status: answer.status, headers: answer.headers ?? {} });
}

async function open(wanted: EngineRequest): Promise<Duplex> {
    const { answer, readable, socket } = await connect(wanted);
    if (answer.status !== 101 && answer.status !== 200) throw engineError(answer.status, answer.body ?? '');
    return { readable, writable: inputOf(socket), close: () => socket.close() };
}

async function connect({ method, path, headers = {}, body, signal }: EngineRequest) {
    signal?.throwIfAborted();
    const address = new URL(OPEN, location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    signal?.addEventListener('abort', () => socket.close(), { once: true });

    const first: OpenRequest = { method, path, headers, session: session(), ...(typeof body === 'string' ? { body } : {}) };
    socket.addEventListener('open', () => socket.send(JSON.stringify(first)), { once: true });
    // The stream listens from the start: bytes may follow the answer at once.
    const readable = bytesOf(socket, signal);
    const answer = await answerOf(socket, signal);
    const failure = answer.headers?.[BRIDGE_HEADER];
    if (failure !== undefined) throw refused(failure, answer.body ?? '');
    return { answer, readable, socket };
}

/** What the bridge itself says: {message}. */
function refused(failure: string, body: string): HostError {
    if (failure === 'session') return new HostError('session', 'this page has no session');
    let message = body;
    try {
        message = (JSON.parse(body) as { message?: string }).message ?? body;
    } catch {
        // Not from the bridge, then; told as it is.
    }
    return new HostError(failure === 'denied' ? 'denied' : 'unreachable', message);
}

function answerOf(socket: WebSocket, signal?: AbortSignal): Promise<OpenAnswer> {
    return new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        socket.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data)) as OpenAnswer), { once: true });
        socket.addEventListener('close', () => reject(new HostError('unreachable', 'the connection was closed')), { once: true });
    });
}

function bytesOf(socket: WebSocket, signal?: AbortSignal): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
        start(controller) {
            let ended = false;
            signal?.addEventListener('abort', () => {
                if (!ended) controller.error(signal.reason);
                ended = true;
            });
            socket.addEventListener('message', ({ data }) => {
                if (!ended && data instanceof ArrayBuffer) controller.enqueue(new Uint8Array(data));
            });
            socket.addEventListener('close', () => {
                if (!ended) controller.close();
                ended = true;
            });
        },
        cancel: () => socket.close(),
    });
}

function inputOf(socket: WebSocket): WritableStream<Uint8Array> {
    return new WritableStream<Uint8Array>({
        write: (chunk) => socket.send(chunk as Uint8Array<ArrayBuffer>),
        close: () => socket.send(END),
        abort: () => socket.close(),
    });
}

function native(): Native {
    let address: Promise<string> | null = null;
    return {
        capabilities: new Set(typeof Notification === 'undefined' ? (['registries'] as const) : (['notify', 'registries'] as const)),
        engineAddress: () =>
            (address ??= fetch(HOST, { credentials: 'same-origin', headers: { [SESSION_HEADER]: session() } })
                .then((answer) => answer.json() as Promise<HostDescription>)
                .then((description) => description.engineHost)
                .catch(() => {
                    address = null;
                    return '';
                })),
        openExternal: (url) => {
            window.open(url, '_blank', 'noopener,noreferrer');
            return Promise.resolve();
        },
        saveFile: (suggestedName, content) => {
            const link = document.createElement('a');
            link.href = URL.createObjectURL(content);
            link.download = suggestedName;
            link.click();
            setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
            return Promise.resolve();
        },
        copyText: (text) => navigator.clipboard.writeText(text),
        notify: async (title, body) => {
            if (Notification.permission === 'default') await Notification.requestPermission();
            if (Notification.permission === 'granted') new Notification(title, { body });
        },
        settings: {
            get: (key) => localStorage.getItem(`dhow.${key}`),
            set: (key, value) => localStorage.setItem(`dhow.${key}`, value),
        },
        registries,
    };
}

const registries: Registries = {
    list: async () => ((await askLogins('GET')) as LoginsAnswer).logins,
    logIn: async (login) => ((await askLogins('POST', '', JSON.stringify(login))) as { status: string }).status,
    logOut: async (server) => void (await askLogins('DELETE', `?server=${encodeURIComponent(server)}`)),
};

async function askLogins(method: string, query = '', body?: string): Promise<unknown> {
    const asked = { method, cache: 'no-store', credentials: 'same-origin', headers: { [SESSION_HEADER]: session() } } as const;
    let answer: Response;
    try {
        answer = await fetch(`${REGISTRIES}${query}`, body === undefined ? asked : { ...asked, body });
    } catch (error) {
        throw new HostError('unreachable', error instanceof Error ? error.message : String(error));
    }
    const text = await answer.text();
    if (answer.ok) return text === '' ? null : JSON.parse(text);
    const failure = answer.headers.get(BRIDGE_HEADER);
    throw failure === null ? engineError(answer.status, text) : refused(failure, text);
}
