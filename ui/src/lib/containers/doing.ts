// Actions with the words for what went wrong.
import type { App } from '$lib/app.svelte';
import { messageOf } from '$lib/api/error';
import type { Failure } from '$lib/resources/containers.svelte';
import { text } from '$lib/text';
import type { Row } from './row';
import type { Action } from './state';

export async function act(app: App, action: Exclude<Action, 'remove' | 'rename'>, rows: readonly Row[]): Promise<void> {
    tell(app, action, await app.containers.act(action, rows));
}

export function tell(app: App, action: Action, failures: readonly Failure[]): void {
    const [first, ...more] = failures;
    if (first === undefined) return;
    const title = text.containers.failed[action](first.row.name);
    app.toasts.fail(more.length === 0 ? title : title + text.containers.failed.more(more.length), messageOf(first.error));
}
