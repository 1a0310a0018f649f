// Images, volumes, networks and what can be done with them, in the palette.
import type { App } from '$lib/app.svelte';
import type { Command } from '$lib/commands/commands.svelte';
import { chooseImages } from '$components/images/files';
import { text } from '$lib/text';
import { screenHref } from '../../views/routes';

export function objectCommands(app: App): Command[] {
    const { asking, router } = app;
    const { images, volumes, networks } = text;
    const running = app.engine.running;
    const actions = text.app.palette.actions;
    const doing: Command[] = !running
        ? []
        : [
              { id: 'ask:run', title: text.run.command, group: actions, icon: 'play', run: () => asking.ask({ kind: 'run' }) },
              { id: 'ask:pull', title: images.commands.pull, group: actions, icon: 'save', run: () => asking.ask({ kind: 'pull' }) },
              { id: 'ask:find-images', title: images.commands.find, group: actions, icon: 'search', run: () => asking.ask({ kind: 'find-images' }) },
              { id: 'ask:load', title: images.load.command, group: actions, icon: 'mounts', run: () => chooseImages(app) },
              { id: 'ask:create-volume', title: volumes.commands.create, group: actions, icon: 'plus', run: () => asking.ask({ kind: 'create-volume' }) },
              { id: 'ask:create-network', title: networks.commands.create, group: actions, icon: 'plus', run: () => asking.ask({ kind: 'create-network' }) },
              { id: 'ask:prune-images', title: images.commands.prune, group: actions, icon: 'remove', run: () => asking.ask({ kind: 'prune-images' }) },
              { id: 'ask:prune-volumes', title: volumes.commands.prune, group: actions, icon: 'remove', run: () => asking.ask({ kind: 'prune-volumes' }) },
              { id: 'ask:prune-networks', title: networks.commands.prune, group: actions, icon: 'remove', run: () => asking.ask({ kind: 'prune-networks' }) },
          ];
    return [
        ...doing,
        { id: 'ask:diagnostics', title: text.help.diagnostics, group: actions, icon: 'help', run: () => asking.ask({ kind: 'diagnostics' }) },
        ...app.images.rows.flatMap((row): Command[] => [
            { id: `image:${row.id}`, title: row.name, group: images.title, icon: 'images', run: () => router.go(screenHref('images', row.id)) },
            ...(running
                ? ([
                      { id: `run:${row.id}`, title: images.commands.run(row.name), group: images.title, icon: 'play', run: () => asking.ask({ kind: 'run', image: row.tags[0] ?? row.id }) },
                      { id: `remove-image:${row.id}`, title: images.commands.remove(row.name), group: images.title, icon: 'remove', run: () => asking.ask({ kind: 'remove-images', images: [row] }) },
                  ] as const)
                : []),
        ]),
        ...app.volumes.rows.flatMap((row): Command[] => [
            { id: `volume:${row.name}`, title: row.label, group: volumes.title, icon: 'volumes', run: () => router.go(screenHref('volumes', row.name)) },
            ...(running ? ([{ id: `remove-volume:${row.name}`, title: volumes.commands.remove(row.label), group: volumes.title, icon: 'remove', run: () => asking.ask({ kind: 'remove-volumes', volumes: [row] }) }] as const) : []),
        ]),
        ...app.networks.rows.flatMap((row): Command[] => [
            { id: `network:${row.id}`, title: row.name, group: networks.title, icon: 'networks', run: () => router.go(screenHref('networks', row.name)) },
            ...(running && !row.builtIn ? ([{ id: `remove-network:${row.id}`, title: networks.commands.remove(row.name), group: networks.title, icon: 'remove', run: () => asking.ask({ kind: 'remove-networks', networks: [row] }) }] as const) : []),
        ]),
    ];
}
