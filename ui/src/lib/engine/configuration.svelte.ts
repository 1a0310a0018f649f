// The engine's configuration file while somebody changes it. What is typed is
// one text, whether in fields or as it is; it outlives the screen, and neither
// a refusal nor somebody else's change takes anything of it away.
import type { App } from '$lib/app.svelte';
import { EngineError, engineError, messageOf } from '$lib/api/error';
import { changesOf, merged, read, same, saidOf, withKey, type Json } from './document';
import { asText, typed, type Setting, type Wrong } from './setting';

export interface EngineFile {
    readonly Path: string;
    readonly Text: string;
    /** '' where there is no file yet. */
    readonly Version: string;
    readonly Writable: boolean;
    readonly Keys: readonly Setting[];
}

/** When the changes take effect. */
export interface Effect {
    readonly Live: readonly string[];
    readonly Restart: readonly string[];
}

const PATH = '/dhow/config';

export class Configuration {
    /** `none`: this engine lets nobody see its file. */
    state = $state<'loading' | 'ready' | 'none' | 'failed'>('loading');
    error = $state('');
    file = $state.raw<EngineFile | null>(null);
    text = $state('');
    /** Why the engine would not have it. */
    refusal = $state('');
    /** The file as somebody else has made it meanwhile. */
    theirs = $state.raw<EngineFile | null>(null);
    /** Applied, and waiting for a restart of the engine. */
    waiting = $state.raw<readonly string[]>([]);
    /** Fields as they are typed: not everything typed is a value yet. */
    #drafts = $state<Record<string, string>>({});

    readonly read = $derived(read(this.text));
    readonly changed = $derived(this.file !== null && this.text !== this.file.Text);
    readonly changes = $derived(this.file === null || this.read.document === null ? [] : changesOf(read(this.file.Text).document ?? {}, this.read.document));
    readonly wrong = $derived.by(() => {
        const all = new Map<string, Wrong>();
        for (const setting of this.file?.Keys ?? []) {
            const draft = this.#drafts[setting.Name];
            const found = draft === undefined ? null : typed(setting, draft).wrong;
            if (found !== null) all.set(setting.Name, found);
        }
        return all;
    });
    readonly ready = $derived(this.changed && this.read.document !== null && this.wrong.size === 0 && this.theirs === null && this.file?.Writable === true);

    readonly #app: Pick<App, 'client'>;

    constructor(app: Pick<App, 'client'>) {
        this.#app = app;
    }

    async load(): Promise<void> {
        try {
            const file = (await this.#ask('GET', PATH)) as EngineFile;
            this.#take(file);
            this.state = 'ready';
        } catch (error) {
            if (this.file !== null) return;
            this.state = error instanceof EngineError && error.status === 404 ? 'none' : 'failed';
            this.error = messageOf(error);
        }
    }

    /** What is typed stays; that the file is another one by now is told. */
    #take(file: EngineFile): void {
        if (this.file === null || !this.changed) {
            this.text = file.Text;
            this.file = file;
        } else if (file.Version !== this.file.Version) this.theirs = file;
        // Only what is in effect may have changed.
        else this.file = file;
        if (this.theirs === null) this.waiting = this.waiting.filter((name) => !inEffect(file, name));
    }

    setting(name: string): Setting | undefined {
        return this.file?.Keys.find((setting) => setting.Name === name);
    }

    said(setting: Setting): Json | undefined {
        return this.read.document === null ? undefined : saidOf(this.read.document, setting.Name);
    }

    /** What stands in the field of a key; null where it has none. */
    field(setting: Setting): string | null {
        const said = this.said(setting);
        const draft = this.#drafts[setting.Name];
        if (draft !== undefined) {
            const { value, wrong } = typed(setting, draft);
            if (wrong !== null || same(value, said)) return draft;
        }
        return asText(setting, said);
    }

    type(setting: Setting, text: string): void {
        this.#drafts[setting.Name] = text;
        this.refusal = '';
        const { value, wrong } = typed(setting, text);
        if (wrong === null && !same(value, this.said(setting))) this.text = withKey(this.text, setting.Name, value);
    }

    write(text: string): void {
        this.text = text;
        this.#drafts = {};
        this.refusal = '';
    }

    discard(): void {
        this.write(this.file?.Text ?? '');
        this.theirs = null;
    }

    /** Asks the engine whether it would have it, and what would take effect when. Null: see `refusal` and `theirs`. */
    check(): Promise<Effect | null> {
        return this.#put(true);
    }

    async apply(): Promise<Effect | null> {
        const effect = await this.#put(false);
        if (effect === null) return null;
        this.waiting = [...new Set([...this.waiting, ...effect.Restart])];
        await this.load();
        return effect;
    }

    async #put(dry: boolean): Promise<Effect | null> {
        this.refusal = '';
        const sent = { Text: this.text, Version: this.file?.Version ?? '' };
        try {
            const answer = (await this.#ask('PUT', dry ? `${PATH}?dry=1` : PATH, sent)) as Effect & { Version: string };
            if (!dry && this.file !== null) this.file = { ...this.file, Text: sent.Text, Version: answer.Version };
            if (!dry) this.#drafts = {};
            return answer;
        } catch (error) {
            if (!(error instanceof EngineError) || error.status !== 409) this.refusal = messageOf(error);
            else await this.#conflict(error);
            return null;
        }
    }

    async #conflict(error: EngineError): Promise<void> {
        try {
            this.theirs = (await this.#ask('GET', PATH)) as EngineFile;
        } catch {
            this.refusal = error.message;
        }
    }

    /** Mine put into theirs, by key; null where one of them is no JSON. */
    readonly merge = $derived(this.theirs === null || this.file === null ? null : merged(this.file.Text, this.text, this.theirs.Text));

    /** Goes on from their file: with my changes in it, with mine instead of it, or with it as it is. */
    resolve(how: 'merge' | 'mine' | 'theirs'): void {
        const theirs = this.theirs;
        if (theirs === null) return;
        const text = how === 'mine' ? this.text : how === 'merge' ? (this.merge?.text ?? this.text) : theirs.Text;
        this.file = theirs;
        this.theirs = null;
        this.write(text);
    }

    async #ask(method: string, path: string, json?: unknown): Promise<unknown> {
        const body = json === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) };
        const answer = await this.#app.client.host.request({ method, path, ...body });
        const text = await answer.text();
        if (answer.status >= 400) throw engineError(answer.status, text);
        return JSON.parse(text);
    }
}

function inEffect(file: EngineFile, name: string): boolean {
    const setting = file.Keys.find((one) => one.Name === name);
    return setting !== undefined && same(setting.Value ?? undefined, saidOf(read(file.Text).document ?? {}, name));
}

const known = new WeakMap<App, Configuration>();

/** Made in a component, what is derived would end with it. */
function outliving<T>(make: () => T): T {
    let made: T | undefined;
    $effect.root(() => void (made = make()));
    return made as T;
}

/** The one of this window. Call it while a component is made: it is read anew each time the engine comes back. */
export function useConfiguration(app: App): Configuration {
    const configuration = known.get(app) ?? outliving(() => new Configuration(app));
    known.set(app, configuration);
    $effect(() => {
        if (app.engine.running) void configuration.load();
    });
    return configuration;
}
