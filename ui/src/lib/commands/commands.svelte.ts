// All that can be done, by name: what the palette offers. Screens register
// their commands while they are there; providers make them when asked.
import type { IconName } from '$ui/icons';

export interface Command {
    readonly id: string;
    readonly title: string;
    readonly group: string;
    readonly icon?: IconName;
    readonly keys?: string;
    readonly run: () => void;
}

type Provider = () => readonly Command[];

export class Commands {
    open = $state(false);
    readonly #providers = new Set<Provider>();

    /** Returns how to take them away again. */
    provide(provider: Provider): () => void {
        this.#providers.add(provider);
        return () => void this.#providers.delete(provider);
    }

    all(): Command[] {
        return [...this.#providers].reverse().flatMap((provider) => provider());
    }
}
