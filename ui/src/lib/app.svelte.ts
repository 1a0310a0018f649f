// Everything that lives as long as the window does, made in one place. Views
// get it from Svelte's context: `const { containers } = useApp()`.
//
// A new resource is a field here and a line in `createApp`.
import { getContext, setContext } from 'svelte';
import { Client } from './api/client';
import { Asking } from './asking.svelte';
import { Commands } from './commands/commands.svelte';
import type { EngineFacts } from './engine/connection';
import type { Host } from './host/types';
import { Activity } from './resources/activity.svelte';
import { Containers } from './resources/containers.svelte';
import { Engine } from './resources/engine.svelte';
import { Images } from './resources/images.svelte';
import { Networks } from './resources/networks.svelte';
import { Stats } from './resources/stats.svelte';
import { Tasks } from './resources/tasks.svelte';
import { Toasts } from './resources/toasts.svelte';
import { Volumes } from './resources/volumes.svelte';
import { Router } from './router/router.svelte';
import { Appearance } from './theme/appearance.svelte';
import { text } from './text';
import { Preferences } from './theme/preferences.svelte';
import { Clock } from './time/clock.svelte';

export interface App {
    readonly host: Host;
    readonly client: Client;
    readonly engine: Engine;
    readonly containers: Containers;
    readonly images: Images;
    readonly volumes: Volumes;
    readonly networks: Networks;
    readonly tasks: Tasks;
    readonly activity: Activity;
    readonly stats: Stats;
    readonly router: Router;
    readonly commands: Commands;
    readonly preferences: Preferences;
    readonly appearance: Appearance;
    readonly asking: Asking;
    readonly toasts: Toasts;
    readonly clock: Clock;
}

const words = text.app.trouble;
const engineName = ({ name, version }: EngineFacts) => `${name} ${version}`;

export function createApp(host: Host): App {
    const client = new Client(host);
    const engine = new Engine(client);
    const tasks = new Tasks();
    const preferences = new Preferences(host.native.settings);
    const images = new Images(engine, tasks);
    const volumes = new Volumes(engine);
    const networks = new Networks(engine);
    // What the palette finds by name is fetched after what is seen first.
    const once = engine.subscribe({
        resync: () =>
            setTimeout(() => {
                for (const resource of [images, volumes, networks]) resource.want();
                once();
            }, 1_500),
    });
    const toasts = new Toasts();
    engine.subscribe({
        replaced: (before, after) => toasts.say(words.replaced(engineName(after)), words.replacedDetail(engineName(before))),
    });
    return {
        host,
        client,
        engine,
        containers: new Containers(engine),
        images,
        volumes,
        networks,
        tasks,
        activity: new Activity(engine),
        stats: new Stats(engine),
        router: new Router(),
        commands: new Commands(),
        preferences,
        appearance: new Appearance(preferences),
        asking: new Asking(),
        toasts,
        clock: new Clock(),
    };
}

const KEY = Symbol('app');

export const provideApp = (app: App): App => setContext(KEY, app);
export const useApp = (): App => getContext<App>(KEY);
