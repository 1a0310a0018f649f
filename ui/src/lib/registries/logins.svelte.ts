// Who is logged in where, as the host keeps it. Secrets pass through and are
// kept nowhere here.
import { messageOf } from '$lib/api/error';
import type { Registries, RegistryLogin } from '$lib/host/types';

export class Logins {
    all = $state.raw<readonly RegistryLogin[]>([]);
    state = $state<'loading' | 'ready' | 'failed'>('loading');
    error = $state('');
    readonly #registries: Registries;

    constructor(registries: Registries) {
        this.#registries = registries;
    }

    async refresh(): Promise<void> {
        try {
            const all = await this.#registries.list();
            this.all = [...all].sort((a, b) => a.server.localeCompare(b.server));
            this.state = 'ready';
        } catch (error) {
            this.error = messageOf(error);
            this.state = 'failed';
        }
    }
}

/** Null where it is no name of a registry; what is pasted along with one is taken off. */
export function serverOf(typed: string): string | null {
    const bare = typed.trim().replace(/^https?:\/\//i, '').replace(/\/(?:v[12]\/?)?$/i, '');
    if (bare === 'index.docker.io' || bare === 'hub.docker.com' || bare === 'registry-1.docker.io') return 'docker.io';
    return /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/i.test(bare) ? bare : null;
}
