// A flat list as one looks at it: what is searched for, how it is sorted, what
// is chosen. Pure functions do the work; this holds their state.
import { choose, keep, moveBy, moveTo, nothing, toggle, type Selection } from '$lib/containers/selection';
import { arrange, type Listed, type Order, type Sort } from './arrange';

export interface Shape<R extends Listed, K extends string, F extends string> {
    readonly rows: () => readonly R[];
    /** In the order in which they are offered; the first is on at the start. */
    readonly filters: Readonly<Record<F, (row: R) => boolean>>;
    readonly orders: Readonly<Record<K, Order<R>>>;
    readonly sort: Sort<K>;
    /** What is asked for biggest or newest first. */
    readonly descendingFirst?: readonly K[];
}

export class ListBrowser<R extends Listed, K extends string, F extends string> {
    search = $state('');
    filter = $state() as F;
    sort = $state.raw() as Sort<K>;
    selection = $state.raw<Selection>(nothing);

    readonly #shape: Shape<R, K, F>;
    #before: readonly string[] = [];

    readonly items = $derived.by((): readonly R[] =>
        arrange(this.#shape.rows(), this.search, this.#shape.filters[this.filter], this.#shape.orders[this.sort.key], this.sort.descending),
    );
    readonly keys = $derived(this.items.map((row) => row.key));
    /** Only what is in sight is ever acted on. */
    readonly chosen = $derived(this.items.filter((row) => this.selection.chosen.has(row.key)));
    readonly counts = $derived.by((): Record<F, number> => {
        const entries = Object.entries(this.#shape.filters) as [F, (row: R) => boolean][];
        return Object.fromEntries(entries.map(([name, passes]) => [name, this.#shape.rows().filter(passes).length])) as Record<F, number>;
    });

    constructor(shape: Shape<R, K, F>) {
        this.#shape = shape;
        this.filter = Object.keys(shape.filters)[0] as F;
        this.sort = shape.sort;
    }

    get current(): R | undefined {
        return this.items.find((row) => row.key === this.selection.cursor);
    }

    /** What an action is about: all that are chosen, else where the keyboard is. */
    get targets(): readonly R[] {
        if (this.chosen.length > 0) return this.chosen;
        return this.current === undefined ? [] : [this.current];
    }

    /** After the list has changed: forget what is gone. */
    settle(): void {
        const next = keep(this.selection, this.#before, this.keys);
        if (next.cursor !== this.selection.cursor || next.chosen.size !== this.selection.chosen.size) this.selection = next;
        this.#before = this.keys;
    }

    move(step: number, extend: boolean): void {
        this.selection = moveBy(this.selection, this.keys, step, extend);
    }

    point(key: string, extend = false): void {
        this.selection = moveTo(this.selection, this.keys, key, extend);
    }

    toggle(key: string): void {
        this.selection = toggle({ ...this.selection, cursor: key, anchor: key }, [key]);
    }

    chooseAll(): void {
        this.selection = choose(this.selection, this.keys);
    }

    chooseNone(): void {
        this.selection = choose(this.selection, []);
    }

    sortBy(key: K): void {
        const first = this.#shape.descendingFirst?.includes(key) ?? false;
        this.sort = { key, descending: this.sort.key === key ? !this.sort.descending : first };
    }

    reset(): void {
        this.search = '';
        this.filter = Object.keys(this.#shape.filters)[0] as F;
    }
}
