// The whole outside world of the page, as one interface. Nothing else in ui/
// knows whether it runs in the app's window or in a browser.

export interface EngineRequest {
    readonly method: string;
    /** The engine's own path, e.g. `/v1.51/containers/json?all=1`. */
    readonly path: string;
    readonly headers?: Record<string, string>;
    readonly body?: BodyInit | null;
    readonly signal?: AbortSignal;
    /** The answer stays open; a host with few connections spares one for it. */
    readonly stays?: boolean;
}

/** A hijacked connection: bytes both ways after the engine has agreed. */
export interface Duplex {
    readonly readable: ReadableStream<Uint8Array>;
    /** Closing it says that no more input comes; output still does. */
    readonly writable: WritableStream<Uint8Array>;
    close(): void;
}

export type Capability = 'notify' | 'settings' | 'engine' | 'autostart' | 'files' | 'registries' | 'commandLine';

export interface Native {
    readonly capabilities: ReadonlySet<Capability>;
    /** What the host calls the engine's address, e.g. `unix:///run/dhow.sock`. */
    engineAddress(): Promise<string>;
    openExternal(url: string): Promise<void>;
    saveFile(suggestedName: string, content: Blob): Promise<void>;
    copyText(text: string): Promise<void>;
    notify(title: string, body: string): Promise<void>;
    readonly settings: SettingsStore;
    /** Where the host can start an engine. */
    readonly engine?: EngineControl;
    /** Where the host keeps the person's logins. */
    readonly registries?: Registries;
    /** Where a `dhow` for terminals came with the host. */
    readonly commandLine?: CommandLine;
}

/**
 * Logins at registries, kept where `dhow login` keeps them. A request with the
 * header REGISTRY_HEADER shows the login for the registry that it names, where
 * there is one; the secret never comes back to the page. All of it rejects with
 * an Error whose message is a sentence for people.
 */
export interface Registries {
    list(): Promise<readonly RegistryLogin[]>;
    /** Kept only if the engine finds it good; answers what it said. */
    logIn(login: { readonly server: string; readonly user: string; readonly secret: string }): Promise<string>;
    logOut(server: string): Promise<void>;
}

export const REGISTRY_HEADER = 'dhow-registry';

export interface RegistryLogin {
    /** `docker.io`, `localhost:5000`. */
    readonly server: string;
    /** Empty where only a token is kept. */
    readonly user: string;
    /** `file`, or the name of the helper program that keeps it. */
    readonly store: string;
}

/** `dhow` in the person's terminal: a symbolic link, which replaces nothing. */
export interface CommandLine {
    state(): Promise<CommandLineState>;
    /** Asks for a password where one is needed. */
    install(scope: CommandLineScope): Promise<void>;
    remove(scope: CommandLineScope): Promise<void>;
}

export type CommandLineScope = 'user' | 'system';

export interface CommandLineState {
    /** The one that came with the app; empty where none did. */
    readonly bundled: string;
    /** What `dhow` is in a terminal; empty where it is nothing. */
    readonly found: string;
    /** Whether these are the same. */
    readonly ours: boolean;
    readonly user: { readonly path: string; readonly inPath: boolean };
    readonly system: { readonly path: string; readonly needsPassword: boolean };
}

export interface SettingsStore {
    get(key: string): string | null;
    set(key: string, value: string): void;
    /** Where others may change them too; answers how to stop listening. */
    onChange?(listener: (key: string) => void): () => void;
}

/** What the app says about the engine, and can do for it. */
export interface EngineControl {
    state(): EngineState;
    /** Answers how to stop listening. */
    onChange(listener: (state: EngineState) => void): () => void;
    start(): Promise<void>;
    /** Look again now. */
    retry(): Promise<void>;
}

export type EngineState =
    | { readonly state: 'looking' }
    | { readonly state: 'starting' }
    | { readonly state: 'up'; readonly version: string; readonly api: string }
    | { readonly state: 'restarting'; readonly attempt: number; readonly seconds: number }
    | {
          readonly state: 'unreachable';
          readonly why: 'not-running' | 'denied' | 'refused' | 'silent' | 'ended' | 'declined' | 'misconfigured';
          readonly message: string;
          /** Whether the app could start one, and whether that takes a password. */
          readonly start: 'direct' | 'asks-for-password' | null;
      };

export interface Host {
    readonly kind: 'tauri' | 'browser' | 'fake';
    /** @throws {HostError} when no engine answered. An engine's error is a Response. */
    request(request: EngineRequest): Promise<Response>;
    /** @throws {HostError} when no engine answered, {EngineError} when it refused. */
    open(request: EngineRequest): Promise<Duplex>;
    readonly native: Native;
}

/**
 * Why there was no answer:
 * - `unreachable`: nothing listens where the engine should.
 * - `denied`: it is there, but not for this person.
 * - `session`: the host itself does not know this page (any more).
 */
export type HostFailure = 'unreachable' | 'denied' | 'session';

export class HostError extends Error {
    override readonly name = 'HostError';
    readonly failure: HostFailure;

    constructor(failure: HostFailure, message: string) {
        super(message);
        this.failure = failure;
    }
}
