// The engine's own description, asked for when somebody wants to read it.
import type { App } from '$lib/app.svelte';
import type { Schemas } from '$lib/api/client';
import { messageOf } from '$lib/api/error';

export class Description {
    info = $state.raw<Schemas['SystemInfo'] | null>(null);
    error = $state('');

    /** Again each time the engine comes back. Call it while a component is made. */
    constructor(app: App) {
        $effect(() => {
            if (!app.engine.running) return;
            app.client.get('/info').then(
                (info) => {
                    this.info = info;
                    this.error = '';
                },
                (error: unknown) => (this.error = messageOf(error)),
            );
        });
    }
}
