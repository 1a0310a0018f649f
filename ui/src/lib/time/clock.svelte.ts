// The time, for "5 min ago": moves every few seconds while somebody looks.

const STEP = 5_000;

export class Clock {
    /** Milliseconds since 1970. */
    now = $state(Date.now());
    #timer: ReturnType<typeof setInterval> | null = null;

    look(hidden: boolean): void {
        if (this.#timer !== null) clearInterval(this.#timer);
        this.#timer = null;
        if (hidden) return;
        this.now = Date.now();
        this.#timer = setInterval(() => (this.now = Date.now()), STEP);
    }
}
