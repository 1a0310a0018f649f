// The host of a page that `dhow dashboard` serves: same origin, one session.
import { engineError } from '$lib/api/error';
import { BRIDGE_HEADER, END, ENGINE, HOST, OPEN, SESSION, type HostDescription, type OpenAnswer, type OpenRequest } from './contract';
import { HostError, type Duplex, type EngineRequest, type Host, type Native } from './types';

/**
 * Trades the token in the address for a session and takes it out of the
 * address, so that neither history nor a copied link carries it.
 */
export async function enterSession(place: Location, past: History): Promise<void> {
    const token = /^#token=([^&]+)$/.exec(place.hash)?.[1];
    if (token === undefined) return;
    past.replaceState(null, '', `${place.pathname}${place.search}`);
    // A token that was used is no reason to stop: the cookie may be here.
    await fetch(SESSION, { method: 'POST', body: JSON.stringify({ token }) }).catch(() => undefined);
}

export function browserHost(): Host {
    return { kind: 'browser', request, open, native: native() };
}

async function request({ method, path, headers, body, signal }: EngineRequest): Promise<Response> {
    let answer: Response;
    try {
        answer = await fetch(`${ENGINE}${path}`, {
            method,
            cache: 'no-store',
            credentials: 'same-origin',
            ...(headers === undefined ? {} : { headers }),
            ...(body === undefined ? {} : { body }),
            ...(signal === undefined ? {} : { signal }),
        });
    } catch (error) {
        if (signal?.aborted) throw error;
        throw new HostError('unreachable', error instanceof Error ? error.message : String(error));
    }
    if (answer.status === 401 && !answer.headers.has('api-version')) {
        throw new HostError('session', 'this page has no session');
    }
    const failure = answer.headers.get(BRIDGE_HEADER);
    if (failure === null) return answer;
    const { message } = (await answer.json().catch(() => ({}))) as { message?: string };
    throw new HostError(failure === 'denied' ? 'denied' : 'unreachable', message ?? answer.statusText);
}

async function open({ method, path, headers = {}, body, signal }: EngineRequest): Promise<Duplex> {
    const address = new URL(OPEN, location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    const close = () => socket.close();
    signal?.addEventListener('abort', close, { once: true });

    const wanted: OpenRequest = { method, path, headers, ...(typeof body === 'string' ? { body } : {}) };
    socket.addEventListener('open', () => socket.send(JSON.stringify(wanted)), { once: true });
    // The stream listens from the start: bytes may follow the answer at once.
    const readable = bytesOf(socket);
    const answer = await answerOf(socket);
    const failure = answer.headers?.[BRIDGE_HEADER];
    if (failure !== undefined) throw new HostError(failure === 'denied' ? 'denied' : 'unreachable', answer.body ?? '');
    if (answer.status !== 101 && answer.status !== 200) throw engineError(answer.status, answer.body ?? '');
    return { readable, writable: inputOf(socket), close };
}

function answerOf(socket: WebSocket): Promise<OpenAnswer> {
    return new Promise((resolve, reject) => {
        socket.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data)) as OpenAnswer), { once: true });
        socket.addEventListener('close', () => reject(new HostError('unreachable', 'the connection was closed')), { once: true });
    });
}

function bytesOf(socket: WebSocket): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
        start(controller) {
            let ended = false;
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
        capabilities: new Set(typeof Notification === 'undefined' ? [] : (['notify'] as const)),
        engineAddress: () =>
            (address ??= fetch(HOST, { credentials: 'same-origin' })
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
    };
}
