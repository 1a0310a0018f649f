// The list of containers as one looks at it: what is searched for, how it is
// sorted, what is chosen. Pure functions do the work; this holds their state.
import type { App } from '$lib/app.svelte';
import { counts, itemsOf, type Filter, type Item, type Sort, type SortKey } from './list';
import type { Row } from './row';
import { choose, keep, moveBy, moveTo, nothing, toggle, type Selection } from './selection';

export class ContainerBrowser {
    search = $state('');
    filter = $state<Filter>('all');
    sort = $state.raw<Sort>({ key: 'name', descending: false });
    grouped = $state(true);
    collapsed = $state.raw<ReadonlySet<string>>(new Set());
    selection = $state.raw<Selection>(nothing);

    readonly #app: App;
    #before: readonly string[] = [];

    readonly counts = $derived.by(() => counts(this.#app.containers.rows));
    readonly items = $derived.by((): readonly Item[] => {
        const { search, filter, sort, grouped, collapsed } = this;
        const byUse = sort.key === 'cpu' || sort.key === 'memory';
        return itemsOf(this.#app.containers.rows, { search, filter, sort, grouped, collapsed }, (id) =>
            // Only a list that is sorted by use moves with it.
            byUse ? this.#app.stats.newest(id) : undefined,
        );
    });
    readonly keys = $derived(this.items.map((item) => item.key));
    readonly chosen = $derived.by((): readonly Row[] => this.#app.containers.rows.filter((row) => this.selection.chosen.has(row.id)));
    /** Rows that are shown or in a closed group that is. */
    readonly rows = $derived(this.items.flatMap(rowsOf));

    constructor(app: App) {
        this.#app = app;
        this.grouped = app.preferences.get('containers.grouped') !== 'no';
        this.collapsed = new Set((app.preferences.get('containers.collapsed') ?? '').split('\n').filter((name) => name !== ''));
    }

    /** After the list has changed: forget what is gone. */
    settle(): void {
        const keys = this.keys;
        const there = [...keys, ...this.rows.map((row) => row.id)];
        const next = keep(this.selection, this.#before, there);
        if (next.cursor !== this.selection.cursor || next.chosen.size !== this.selection.chosen.size) this.selection = next;
        this.#before = keys;
    }

    get current(): Item | undefined {
        return this.items.find((item) => item.key === this.selection.cursor);
    }

    /** What an action is about: all that are chosen, else where the keyboard is. */
    get targets(): readonly Row[] {
        if (this.chosen.length > 0) return this.chosen;
        return this.current === undefined ? [] : rowsOf(this.current);
    }

    move(step: number, extend: boolean): void {
        this.selection = moveBy(this.selection, this.keys, step, extend);
    }

    point(key: string, extend = false): void {
        this.selection = moveTo(this.selection, this.keys, key, extend);
    }

    toggle(item: Item): void {
        this.selection = toggle({ ...this.selection, cursor: item.key, anchor: item.key }, rowsOf(item).map((row) => row.id));
    }

    chooseAll(): void {
        this.selection = choose(this.selection, this.rows.map((row) => row.id));
    }

    chooseNone(): void {
        this.selection = choose(this.selection, []);
    }

    collapse(project: string, shut: boolean): void {
        const collapsed = new Set(this.collapsed);
        if (shut) collapsed.add(project);
        else collapsed.delete(project);
        this.collapsed = collapsed;
        this.#app.preferences.set('containers.collapsed', [...collapsed].join('\n'));
    }

    group(grouped: boolean): void {
        this.grouped = grouped;
        this.#app.preferences.set('containers.grouped', grouped ? 'yes' : 'no');
    }

    sortBy(key: SortKey): void {
        const same = this.sort.key === key;
        // Numbers are asked for biggest first.
        const descending = key === 'cpu' || key === 'memory' || key === 'created';
        this.sort = { key, descending: same ? !this.sort.descending : descending };
    }

    reset(): void {
        this.search = '';
        this.filter = 'all';
    }
}

export function rowsOf(item: Item): readonly Row[] {
    return item.kind === 'row' ? [item.row] : item.rows;
}
