// The host of the app's own window: the bridge in src-tauri carries bytes, and
// everything of HTTP that the page sees is put together here.
import { Channel, invoke } from '@tauri-apps/api/core';
import { engineError } from '$lib/api/error';
import {
    HostError,
    type CommandLineState,
    type Duplex,
    type EngineControl,
    type EngineRequest,
    type EngineState,
    type Host,
    type HostFailure,
    type Native,
    type RegistryLogin,
    type SettingsStore,
} from './types';

/** What the bridge says before a body. */
interface Answer {
    readonly status: number;
    readonly headers: [string, string][];
    readonly duplex: boolean;
}

interface Failure {
    readonly failure: 'unreachable' | 'denied' | 'cancelled' | 'invalid';
    readonly message: string;
}

interface SettingsAnswer {
    readonly texts: Record<string, string>;
    readonly faults: string[];
}

type EngineAnswer = EngineState & { readonly address: string };

/** Larger pieces of a body would hold up everything else that is sent. */
const PIECE = 256 * 1024;
/** Statuses that `Response` refuses a body for. */
const BODILESS = new Set([101, 204, 205, 304]);

let lastNumber = 0;

export async function tauriHost(): Promise<Host> {
    const [settings, engine] = await Promise.all([settingsOfTheApp(), engineOfTheApp()]);
    return { kind: 'tauri', request, open, native: native(settings, engine) };
}

async function request(wanted: EngineRequest): Promise<Response> {
    const { number, answer } = await begin('engine_request', wanted, true);
    const { status, headers } = answer;
    if (BODILESS.has(status)) {
        void invoke('engine_cancel', { number });
        return new Response(null, { status, headers });
    }
    return new Response(readableOf(number, wanted.signal), { status, headers });
}

async function open(wanted: EngineRequest): Promise<Duplex> {
    const { number, answer } = await begin('engine_open', wanted, false);
    const close = () => void invoke('engine_cancel', { number });
    wanted.signal?.addEventListener('abort', close, { once: true });
    if (!answer.duplex) {
        throw engineError(answer.status, await new Response(readableOf(number)).text());
    }
    return { readable: readableOf(number), writable: writableOf(number), close };
}

async function begin(command: string, wanted: EngineRequest, mayFollow: boolean): Promise<{ number: number; answer: Answer }> {
    const { method, path, headers = {}, signal } = wanted;
    signal?.throwIfAborted();
    const number = ++lastNumber;
    const { head, source } = await bodyOf(wanted.body, mayFollow);
    signal?.throwIfAborted();
    const cancel = () => void invoke('engine_cancel', { number });
    signal?.addEventListener('abort', cancel, { once: true });
    try {
        if (source !== null) await invoke('engine_expect', { number });
        const answering = invoke<Answer>(command, { head: { number, method, path, headers: Object.entries(headers), body: head } });
        // The engine may answer before it has read everything, or refuse it:
        // its answer is what counts then.
        if (source !== null) void source.pipeTo(writableOf(number)).catch(() => undefined);
        return { number, answer: await answering };
    } catch (error) {
        signal?.throwIfAborted();
        throw hostError(error);
    } finally {
        signal?.removeEventListener('abort', cancel);
    }
}

type BodyHead = 'none' | 'follows' | { readonly text: string };

/** How a body goes: text in one piece with the head, anything else after it. */
async function bodyOf(body: BodyInit | null | undefined, mayFollow: boolean): Promise<{ head: BodyHead; source: ReadableStream<Uint8Array> | null }> {
    if (body === null || body === undefined) return { head: 'none', source: null };
    if (typeof body === 'string') return { head: { text: body }, source: null };
    // A stream is taken as it is: not every engine makes a Response of one.
    if (body instanceof ReadableStream) return { head: 'follows', source: body };
    const made = new Response(body);
    if (!mayFollow) return { head: { text: await made.text() }, source: null };
    return { head: 'follows', source: made.body };
}

/** Bytes are fetched when somebody wants them, so that nothing piles up. */
function readableOf(number: number, signal?: AbortSignal): ReadableStream<Uint8Array> {
    const cancel = () => void invoke('engine_cancel', { number });
    signal?.addEventListener('abort', cancel, { once: true });
    const over = () => signal?.removeEventListener('abort', cancel);
    return new ReadableStream<Uint8Array>(
        {
            async pull(controller) {
                try {
                    const bytes = await invoke<ArrayBuffer>('engine_read', { number });
                    if (bytes.byteLength > 0) {
                        controller.enqueue(new Uint8Array(bytes));
                        return;
                    }
                    over();
                    controller.close();
                } catch (error) {
                    over();
                    controller.error(signal?.aborted ? signal.reason : hostError(error));
                }
            },
            cancel() {
                over();
                cancel();
            },
        },
        { highWaterMark: 0 },
    );
}

function writableOf(number: number): WritableStream<Uint8Array> {
    const headers = { 'dhow-request': String(number) };
    return new WritableStream<Uint8Array>({
        async write(chunk) {
            for (let start = 0; start < chunk.byteLength; start += PIECE) {
                // A view is sent with all that it is a view of.
                await invoke('engine_write', chunk.slice(start, start + PIECE), { headers });
            }
        },
        close: () => invoke('engine_finish', { number }),
        abort: () => invoke('engine_cancel', { number }),
    });
}

/** What the bridge throws, as the page knows it. */
function hostError(error: unknown): Error {
    if (!isFailure(error)) return error instanceof Error ? error : new Error(String(error));
    if (error.failure === 'cancelled') return new DOMException(error.message, 'AbortError');
    if (error.failure === 'invalid') return new TypeError(error.message);
    const failure: HostFailure = error.failure;
    return new HostError(failure, error.message);
}

function isFailure(error: unknown): error is Failure {
    return typeof error === 'object' && error !== null && 'failure' in error && 'message' in error;
}

interface AppEngine {
    readonly control: EngineControl;
    address(): string;
}

async function engineOfTheApp(): Promise<AppEngine> {
    const listeners = new Set<(state: EngineState) => void>();
    const changes = new Channel<EngineAnswer>();
    let known = await invoke<EngineAnswer>('app_engine', { changes });
    changes.onmessage = (now) => {
        known = now;
        for (const listener of listeners) listener(now);
    };
    return {
        address: () => known.address,
        control: {
            state: () => known,
            onChange: (listener) => {
                listeners.add(listener);
                return () => listeners.delete(listener);
            },
            start: () => invoke('app_start_engine'),
            retry: () => invoke('app_retry_engine'),
        },
    };
}

async function settingsOfTheApp(): Promise<SettingsStore> {
    const listeners = new Set<(key: string) => void>();
    const changes = new Channel<SettingsAnswer>();
    const { texts } = await invoke<SettingsAnswer>('app_settings', { changes });
    const known = new Map(Object.entries(texts));
    changes.onmessage = (now) => {
        const keys = new Set([...known.keys(), ...Object.keys(now.texts)]);
        for (const key of keys) {
            const text = now.texts[key];
            if (known.get(key) === text) continue;
            if (text === undefined) known.delete(key);
            else known.set(key, text);
            for (const listener of listeners) listener(key);
        }
    };
    return {
        get: (key) => known.get(key) ?? null,
        set: (key, value) => {
            const before = known.get(key);
            known.set(key, value);
            // What the file does not take is not so.
            invoke('app_set_setting', { key, value }).catch((error: unknown) => {
                console.warn(`${key} was not set`, error);
                if (before === undefined) known.delete(key);
                else known.set(key, before);
                for (const listener of listeners) listener(key);
            });
        },
        onChange: (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
    };
}

function native(settings: SettingsStore, engine: AppEngine): Native {
    return {
        capabilities: new Set(['notify', 'settings', 'engine', 'autostart', 'files', 'registries', 'commandLine'] as const),
        engineAddress: () => Promise.resolve(engine.address()),
        openExternal: (url) => invoke('app_open_external', { url }),
        saveFile: async (suggestedName, content) => {
            const bytes = new Uint8Array(await content.arrayBuffer());
            await invoke('app_save_file', bytes, { headers: { 'dhow-name': encodeURIComponent(suggestedName) } });
        },
        copyText: (text) => navigator.clipboard.writeText(text),
        notify: (title, body) => invoke('app_notify', { title, body }),
        settings,
        engine: engine.control,
        registries: {
            list: () => told<RegistryLogin[]>('registries'),
            logIn: ({ server, user, secret }) => told<string>('registry_log_in', { server, user, secret }),
            logOut: (server) => told<void>('registry_log_out', { server }),
        },
        commandLine: {
            state: () => told<CommandLineState>('command_line'),
            install: (scope) => told<void>('install_command_line', { scope }),
            remove: (scope) => told<void>('remove_command_line', { scope }),
        },
    };
}

/** The app rejects with a sentence, and pages expect an Error. */
async function told<T>(command: string, payload?: Record<string, unknown>): Promise<T> {
    try {
        return await invoke<T>(command, payload);
    } catch (error) {
        throw error instanceof Error ? error : new Error(String(error));
    }
}
