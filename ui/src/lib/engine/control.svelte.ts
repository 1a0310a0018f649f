// The engine as the host knows it: what it does about one that is not there,
// and what a person can have it do. A page in a browser has no such host.
import { messageOf } from '$lib/api/error';
import type { EngineControl, EngineState } from '$lib/host/types';

export class HostEngine {
    state = $state.raw<EngineState>({ state: 'looking' });
    /** Until it is started again; counts down while somebody looks. */
    seconds = $state(0);
    asking = $state(false);
    /** Why it was not started. */
    failed = $state('');

    readonly #control: EngineControl;
    readonly #up: () => void;

    /** Call it while a component is made: it listens as long as that is there. */
    constructor(control: EngineControl, up: () => void) {
        this.#control = control;
        this.#up = up;
        this.#take(control.state());
        $effect(() => control.onChange((state) => this.#take(state)));
        $effect(() => {
            if (this.state.state !== 'restarting') return;
            const timer = setInterval(() => (this.seconds = Math.max(0, this.seconds - 1)), 1_000);
            return () => clearInterval(timer);
        });
    }

    #take(state: EngineState): void {
        const before = this.state.state;
        this.state = state;
        if (state.state === 'restarting') this.seconds = Math.ceil(state.seconds);
        if (state.state !== 'unreachable') this.failed = '';
        // The page need not wait for its own turn.
        if (state.state === 'up' && before !== 'up') this.#up();
    }

    async start(): Promise<void> {
        this.asking = true;
        this.failed = '';
        try {
            await this.#control.start();
        } catch (error) {
            this.failed = messageOf(error);
        } finally {
            this.asking = false;
        }
    }

    async retry(): Promise<void> {
        await this.#control.retry().catch((error: unknown) => (this.failed = messageOf(error)));
        this.#up();
    }
}
