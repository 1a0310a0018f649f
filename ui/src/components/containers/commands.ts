// Containers in the palette: each by name, and what can be done with it.
import type { App } from '$lib/app.svelte';
import type { Command } from '$lib/commands/commands.svelte';
import { act } from '$lib/containers/doing';
import { allowed } from '$lib/containers/state';
import { text } from '$lib/text';
import { href } from '../../views/routes';

const ACTIONS = [
    { action: 'start', icon: 'play' },
    { action: 'stop', icon: 'stop' },
    { action: 'restart', icon: 'restart' },
] as const;

export function containerCommands(app: App): Command[] {
    const words = text.containers.action;
    const group = text.app.palette.containers;
    return app.containers.rows.flatMap((row): Command[] => [
        { id: `open:${row.id}`, title: row.name, group, icon: 'containers', run: () => app.router.go(href({ screen: 'container', id: row.name, tab: 'logs' })) },
        ...(app.engine.running ? ACTIONS : [])
            .filter(({ action }) => allowed(row.state, action))
            .map(({ action, icon }) => ({ id: `${action}:${row.id}`, title: words.of(words[action], row.name), group, icon, run: () => void act(app, action, [row]) })),
    ]);
}
