// What can be done with images, as a menu.
import type { App } from '$lib/app.svelte';
import type { ImageRow } from '$lib/images/row';
import { text } from '$lib/text';
import { saveImages } from './files';
import type { MenuItem } from '$ui/Menu.svelte';
import { screenHref } from '../../views/routes';

export function imageMenu(app: App, rows: readonly ImageRow[]): MenuItem[] {
    const words = { ...text.images.menu, save: text.images.save.action };
    const off = !app.engine.running;
    const [only] = rows.length === 1 ? rows : [];
    const items: MenuItem[] = [];
    if (only !== undefined) {
        const [tag] = only.tags;
        items.push(
            { id: 'open', label: words.open, icon: 'images', keys: 'Enter', run: () => app.router.go(screenHref('images', only.id)) },
            { id: 'run', label: words.run, icon: 'play', disabled: off, run: () => app.asking.ask({ kind: 'run', image: tag ?? only.id }) },
            { id: 'tag', label: words.tag, icon: 'plus', apart: true, disabled: off, run: () => app.asking.ask({ kind: 'tag', image: only }) },
            { id: 'push', label: words.push, icon: 'up', disabled: off || tag === undefined, run: () => app.asking.ask({ kind: 'push', image: only }) },
            { id: 'pull', label: words.pull, icon: 'save', disabled: off || tag === undefined, run: () => app.asking.ask({ kind: 'pull', reference: tag ?? '' }) },
            { id: 'copy', label: words.copyId, icon: 'copy', apart: true, run: () => copy(app, only.id) },
        );
        if (tag !== undefined) items.push({ id: 'copy-name', label: words.copyName, icon: 'copy', run: () => copy(app, tag) });
    }
    items.push({ id: 'save', label: words.save, icon: 'save', apart: only === undefined, disabled: off || rows.length === 0, run: () => saveImages(app, rows) });
    items.push({ id: 'remove', label: words.remove, icon: 'remove', keys: 'Del', danger: true, apart: true, disabled: off || rows.length === 0, run: () => app.asking.ask({ kind: 'remove-images', images: rows }) });
    return items;
}

export function copy(app: App, content: string): void {
    void app.host.native.copyText(content).then(
        () => app.toasts.say(text.app.copied, content),
        (error: unknown) => app.toasts.fail(text.app.copy, String(error)),
    );
}
