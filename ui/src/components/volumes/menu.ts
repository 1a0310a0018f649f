// What can be done with volumes, as a menu.
import { copy } from '$components/images/menu';
import type { App } from '$lib/app.svelte';
import { text } from '$lib/text';
import type { VolumeRow } from '$lib/volumes/row';
import type { MenuItem } from '$ui/Menu.svelte';
import { screenHref } from '../../views/routes';

export function volumeMenu(app: App, rows: readonly VolumeRow[]): MenuItem[] {
    const words = text.volumes.menu;
    const [only] = rows.length === 1 ? rows : [];
    return [
        ...(only === undefined
            ? []
            : [
                  { id: 'open', label: words.open, icon: 'volumes' as const, keys: 'Enter', run: () => app.router.go(screenHref('volumes', only.name)) },
                  { id: 'copy', label: words.copyName, icon: 'copy' as const, run: () => copy(app, only.name) },
                  { id: 'copy-path', label: words.copyPath, icon: 'copy' as const, run: () => copy(app, only.mountpoint) },
              ]),
        { id: 'remove', label: words.remove, icon: 'remove', keys: 'Del', danger: true, apart: only !== undefined, disabled: !app.engine.running || rows.length === 0, run: () => app.asking.ask({ kind: 'remove-volumes', volumes: rows }) },
    ];
}
