// What can be done with containers, as a menu.
import type { App } from '$lib/app.svelte';
import { act } from '$lib/containers/doing';
import type { Row } from '$lib/containers/row';
import { allowed, type Action } from '$lib/containers/state';
import { text } from '$lib/text';
import type { IconName } from '$ui/icons';
import type { MenuItem } from '$ui/Menu.svelte';
import { href } from '../../views/routes';

const ICONS: Record<Exclude<Action, 'remove' | 'rename'>, IconName> = {
    start: 'play',
    stop: 'stop',
    restart: 'restart',
    pause: 'pause',
    unpause: 'play',
    kill: 'kill',
};

interface Asked {
    remove(rows: readonly Row[]): void;
    rename(row: Row): void;
}

export function menuOf(app: App, rows: readonly Row[], asked: Asked): MenuItem[] {
    const words = text.containers.action;
    const able = app.engine.running;
    const [only] = rows.length === 1 ? rows : [];
    const items: MenuItem[] = [];
    if (only !== undefined) {
        const open = (tab: 'logs' | 'terminal') => app.router.go(href({ screen: 'container', id: only.name, tab }));
        items.push({ id: 'logs', label: words.logs, icon: 'logs', keys: 'Enter', run: () => open('logs') });
        items.push({ id: 'terminal', label: words.terminal, icon: 'terminal', disabled: only.state !== 'running', run: () => open('terminal') });
    }
    for (const [index, action] of (['start', 'stop', 'restart', 'unpause', 'pause', 'kill'] as const).entries()) {
        const fit = rows.filter((row) => allowed(row.state, action));
        // What never fits takes no room; what does not fit all acts on those it fits.
        if (fit.length === 0) continue;
        items.push({ id: action, label: words[action], icon: ICONS[action], disabled: !able, apart: index < 2 && !items.some((item) => item.apart), run: () => void act(app, action, fit) });
    }
    if (only !== undefined) {
        items.push({ id: 'rename', label: words.rename, icon: 'rename', keys: 'F2', apart: true, disabled: !able || !allowed(only.state, 'rename'), run: () => asked.rename(only) });
        items.push({
            id: 'copy',
            label: words.copyId,
            icon: 'copy',
            run: () => void app.host.native.copyText(only.id).then(() => app.toasts.say(text.containers.copiedId)),
        });
    }
    const removable = rows.filter((row) => allowed(row.state, 'remove'));
    items.push({ id: 'remove', label: words.remove, icon: 'remove', keys: 'Del', danger: true, apart: true, disabled: !able || removable.length === 0, run: () => asked.remove(removable) });
    return items;
}
