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
    return { app, page: within(document.body), close };
}

/** As if an engine answered. */
function run(app: App): void {
    app.engine.connection = { ...app.engine.connection, phase: 'running' };
}

/** Takes the component away, and nothing else of the page. */
async function close(): Promise<void> {
    if (mounted !== null) await unmount(mounted);
    mounted = null;
}

export async function clear(): Promise<void> {
    await close();
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

/** One of a select's options. */
export function choose(select: HTMLSelectElement, value: string): void {
    select.value = value;
    // What Svelte finds the chosen option by; here it knows boxes only.
    const find = select.querySelector.bind(select);
    select.querySelector = (query: string) => (query === ':checked' ? (select.selectedOptions[0] ?? null) : find(query));
    select.dispatchEvent(new Event('change', { bubbles: true }));
    flushSync();
}
