// What a person has chosen about the looks of it, kept by the host.
import type { SettingsStore } from '$lib/host/types';

export type Theme = 'system' | 'light' | 'dark';

export class Preferences {
    theme = $state<Theme>('system');
    readonly #store: SettingsStore;

    constructor(store: SettingsStore) {
        this.#store = store;
        const kept = store.get('theme');
        this.theme = kept === 'light' || kept === 'dark' ? kept : 'system';
        this.#apply();
    }

    choose(theme: Theme): void {
        this.theme = theme;
        this.#store.set('theme', theme);
        this.#apply();
    }

    /** A value of a screen's own: text in, text out. */
    get(key: string): string | null {
        return this.#store.get(key);
    }

    set(key: string, value: string): void {
        this.#store.set(key, value);
    }

    #apply(): void {
        if (typeof document === 'undefined') return;
        if (this.theme === 'system') delete document.documentElement.dataset['theme'];
        else document.documentElement.dataset['theme'] = this.theme;
    }
}
