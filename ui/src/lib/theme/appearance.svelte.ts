// How dense lists are and whether things move, as a person has chosen; the
// theme is Preferences'.
import type { Preferences } from './preferences.svelte';

export type Density = 'comfortable' | 'compact';
export type Motion = 'system' | 'reduced';

const ROW: Record<Density, number> = { comfortable: 36, compact: 28 };

export class Appearance {
    density = $state<Density>('comfortable');
    motion = $state<Motion>('system');
    readonly rowHeight = $derived(ROW[this.density]);
    readonly #preferences: Preferences;

    constructor(preferences: Preferences) {
        this.#preferences = preferences;
        this.density = preferences.get('density') === 'compact' ? 'compact' : 'comfortable';
        this.motion = preferences.get('motion') === 'reduced' ? 'reduced' : 'system';
        this.#apply();
    }

    chooseDensity(density: Density): void {
        this.density = density;
        this.#preferences.set('density', density);
        this.#apply();
    }

    chooseMotion(motion: Motion): void {
        this.motion = motion;
        this.#preferences.set('motion', motion);
        this.#apply();
    }

    #apply(): void {
        if (typeof document === 'undefined') return;
        document.documentElement.dataset['density'] = this.density;
        document.documentElement.dataset['motion'] = this.motion;
    }
}
