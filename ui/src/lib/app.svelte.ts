// Everything that lives as long as the window does, made in one place. Views
// get it from Svelte's context: `const { containers } = useApp()`.
//
// A new resource is a field here and a line in `createApp`.
import { getContext, setContext } from 'svelte';
import { Client } from './api/client';
import { Commands } from './commands/commands.svelte';
import type { EngineFacts } from './engine/connection';
import type { Host } from './host/types';
import { Containers } from './resources/containers.svelte';
import { Engine } from './resources/engine.svelte';
import { Stats } from './resources/stats.svelte';
import { Toasts } from './resources/toasts.svelte';
import { Router } from './router/router.svelte';
import { text } from './text';
import { Preferences } from './theme/preferences.svelte';
import { Clock } from './time/clock.svelte';

export interface App {
    readonly host: Host;
    readonly client: Client;
    readonly engine: Engine;
    readonly containers: Containers;
    readonly stats: Stats;
    readonly router: Router;
    readonly commands: Commands;
    readonly preferences: Preferences;
    readonly toasts: Toasts;
    readonly clock: Clock;
}

const words = text.app.trouble;
const engineName = ({ name, version }: EngineFacts) => `${name} ${version}`;

export function createApp(host: Host): App {
    const client = new Client(host);
    const engine = new Engine(client);
    const toasts = new Toasts();
    engine.subscribe({
        replaced: (before, after) => toasts.say(words.replaced(engineName(after)), words.replacedDetail(engineName(before))),
    });
    return {
        host,
        client,
        engine,
        containers: new Containers(engine),
        stats: new Stats(engine),
        router: new Router(),
        commands: new Commands(),
        preferences: new Preferences(host.native.settings),
        toasts,
        clock: new Clock(),
    };
}

const KEY = Symbol('app');

export const provideApp = (app: App): App => setContext(KEY, app);
export const useApp = (): App => getContext<App>(KEY);
