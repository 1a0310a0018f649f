// For tests of components: one in a page of its own, with an app on a host.
import { createApp, type App } from '$lib/app.svelte';
import type { Host } from '$lib/host/types';
import { within } from '@testing-library/dom';
import { flushSync, mount, unmount, type Component } from 'svelte';
import WithApp from './WithApp.svelte';

let mounted: Record<string, unknown> | null = null;

export function show<P extends Record<string, unknown>>(shown: Component<P>, props: P, host: Host, prepare: (app: App) => void = run) {
    const app = createApp(host);
    prepare(app);
    mounted = mount(WithApp as Component<Record<string, unknown>>, { target: document.body, props: { app, shown, props } });
    flushSync();
    return { app, page: within(document.body) };
}

/** As if an engine answered. */
function run(app: App): void {
    app.engine.connection = { ...app.engine.connection, phase: 'running' };
}

export async function clear(): Promise<void> {
    if (mounted !== null) await unmount(mounted);
    mounted = null;
    document.body.replaceChildren();
}

/** A key where the focus is, as far as one handler can tell. Answers whether it was left to the browser. */
export function press(key: string, element: Element | null = document.activeElement): boolean {
    const left = (element ?? document.body).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    flushSync();
    return left;
}

export function type(element: HTMLElement, value: string): void {
    (element as HTMLInputElement).value = value;
    element.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
}
