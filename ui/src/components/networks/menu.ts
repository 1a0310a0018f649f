// What can be done with networks, as a menu.
import { copy } from '$components/images/menu';
import type { App } from '$lib/app.svelte';
import type { NetworkRow } from '$lib/networks/row';
import { text } from '$lib/text';
import type { MenuItem } from '$ui/Menu.svelte';
import { screenHref } from '../../views/routes';

export function networkMenu(app: App, rows: readonly NetworkRow[]): MenuItem[] {
    const words = text.networks.menu;
    const [only] = rows.length === 1 ? rows : [];
    const off = !app.engine.running || rows.every((row) => row.builtIn);
    return [
        ...(only === undefined
            ? []
            : [
                  { id: 'open', label: words.open, icon: 'networks' as const, keys: 'Enter', run: () => app.router.go(screenHref('networks', only.name)) },
                  { id: 'copy', label: words.copyId, icon: 'copy' as const, run: () => copy(app, only.id) },
              ]),
        { id: 'remove', label: words.remove, icon: 'remove', keys: 'Del', danger: true, apart: only !== undefined, disabled: off, run: () => app.asking.ask({ kind: 'remove-networks', networks: rows }) },
    ];
}
