// What has changed since the list was last fetched. However many events come,
// it holds at most so many names, and then only knows: fetch everything.

export interface Change {
    readonly id: string;
    readonly gone: boolean;
}

export interface Work {
    readonly all: boolean;
    readonly ids: readonly string[];
    readonly gone: readonly string[];
}

export class Changes {
    readonly #limit: number;
    #all = false;
    readonly #ids = new Set<string>();
    readonly #gone = new Set<string>();

    constructor(limit: number) {
        this.#limit = limit;
    }

    everything(): void {
        this.#all = true;
        this.#ids.clear();
    }

    note({ id, gone }: Change): void {
        if (gone) {
            this.#ids.delete(id);
            this.#gone.add(id);
            if (this.#gone.size > this.#limit * 8) this.#overflow();
        } else if (!this.#all) {
            this.#ids.add(id);
            if (this.#ids.size > this.#limit) this.everything();
        }
    }

    get empty(): boolean {
        return !this.#all && this.#ids.size === 0 && this.#gone.size === 0;
    }

    take(): Work {
        const work = { all: this.#all, ids: [...this.#ids], gone: [...this.#gone] };
        this.#all = false;
        this.#ids.clear();
        this.#gone.clear();
        return work;
    }

    #overflow(): void {
        this.#gone.clear();
        this.everything();
    }
}
