// The screens of the navigation, each in a file (and a chunk) of its own. A
// view gets what follows its name in the address.
import type { IconName } from '$ui/icons';
import type { Component } from 'svelte';
import Containers from './Containers.svelte';
import type { Screen } from './routes';

export type View = Component<{ rest: readonly string[] }>;

interface ScreenEntry {
    readonly icon: IconName;
    /** Mod+this goes there. */
    readonly key: string;
    /** Near the bottom of the navigation. */
    readonly apart?: boolean;
    /** There from the start. */
    readonly view?: View;
    /** Loaded when it is opened first. */
    readonly load?: () => Promise<{ default: View }>;
}

export const screens: Record<Screen, ScreenEntry> = {
    containers: { icon: 'containers', key: '1', view: Containers },
    images: { icon: 'images', key: '2', load: () => import('./Images.svelte') },
    volumes: { icon: 'volumes', key: '3', load: () => import('./Volumes.svelte') },
    networks: { icon: 'networks', key: '4', load: () => import('./Networks.svelte') },
    activity: { icon: 'activity', key: '5', load: () => import('./Activity.svelte') },
    settings: { icon: 'settings', key: ',', apart: true, load: () => import('./Settings.svelte') },
    help: { icon: 'help', key: '6', apart: true, load: () => import('./Help.svelte') },
};
