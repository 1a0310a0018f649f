// The list as it is shown: searched, filtered, sorted and grouped.
import type { Row } from './row';

export type Filter = 'all' | 'running' | 'stopped' | 'trouble';
export type SortKey = 'name' | 'state' | 'image' | 'cpu' | 'memory' | 'created';

export interface Sort {
    readonly key: SortKey;
    readonly descending: boolean;
}

export interface Query {
    readonly search: string;
    readonly filter: Filter;
    readonly sort: Sort;
    readonly grouped: boolean;
    readonly collapsed: ReadonlySet<string>;
}

export interface Group {
    readonly kind: 'group';
    readonly key: string;
    readonly project: string;
    readonly rows: readonly Row[];
    readonly running: number;
    readonly troubled: number;
    readonly collapsed: boolean;
}

export interface Entry {
    readonly kind: 'row';
    readonly key: string;
    readonly row: Row;
    readonly nested: boolean;
}

export type Item = Group | Entry;

/** What is measured and changes often; the list sorts by it only when asked to. */
export type Measures = (id: string) => { readonly cpu: number; readonly memory: number } | undefined;

export function itemsOf(rows: readonly Row[], query: Query, measures: Measures): Item[] {
    const words = query.search.toLowerCase().split(/\s+/).filter((word) => word !== '');
    const kept = rows.filter((row) => passes(row, query.filter) && words.every((word) => row.haystack.includes(word)));
    const order = comparer(query.sort, measures);
    if (!query.grouped) return kept.sort(order).map((row) => entry(row, false));

    const projects = new Map<string, Row[]>();
    const single: Row[] = [];
    for (const row of kept) {
        if (row.project === '') single.push(row);
        else (projects.get(row.project) ?? insert(projects, row.project)).push(row);
    }
    // A search opens what it found something in.
    const shut = (project: string) => words.length === 0 && query.collapsed.has(project);
    const items: Item[] = [];
    for (const project of [...projects.keys()].sort(compareText)) {
        const members = (projects.get(project) ?? []).sort(order);
        const group = groupOf(project, members, shut(project));
        items.push(group);
        if (!group.collapsed) items.push(...members.map((row) => entry(row, true)));
    }
    items.push(...single.sort(order).map((row) => entry(row, false)));
    return items;
}

export function counts(rows: readonly Row[]): Record<Filter, number> {
    const all: Record<Filter, number> = { all: rows.length, running: 0, stopped: 0, trouble: 0 };
    for (const row of rows) {
        if (passes(row, 'running')) all.running += 1;
        else all.stopped += 1;
        if (passes(row, 'trouble')) all.trouble += 1;
    }
    return all;
}

/** Paused and restarting containers hold their memory and ports: they count as running. */
function passes(row: Row, filter: Filter): boolean {
    const up = row.state === 'running' || row.state === 'paused' || row.state === 'restarting';
    switch (filter) {
        case 'all':
            return true;
        case 'running':
            return up;
        case 'stopped':
            return !up;
        case 'trouble':
            return row.crashed || row.health === 'unhealthy' || row.state === 'restarting' || row.state === 'dead';
    }
}

function insert(projects: Map<string, Row[]>, project: string): Row[] {
    const rows: Row[] = [];
    projects.set(project, rows);
    return rows;
}

const entry = (row: Row, nested: boolean): Entry => ({ kind: 'row', key: row.id, row, nested });

function groupOf(project: string, rows: readonly Row[], collapsed: boolean): Group {
    return {
        kind: 'group',
        key: `project:${project}`,
        project,
        rows,
        running: rows.filter((row) => passes(row, 'running')).length,
        troubled: rows.filter((row) => passes(row, 'trouble')).length,
        collapsed,
    };
}

const STATE_ORDER = ['running', 'restarting', 'paused', 'created', 'exited', 'dead', 'removing'];
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
const compareOrder = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const compareText = (a: string, b: string) => collator.compare(a, b);

function comparer({ key, descending }: Sort, measures: Measures): (a: Row, b: Row) => number {
    const sign = descending ? -1 : 1;
    const by: Record<SortKey, (a: Row, b: Row) => number> = {
        name: (a, b) => compareOrder(a.order, b.order),
        state: (a, b) => STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state),
        image: (a, b) => compareText(a.image, b.image),
        cpu: (a, b) => (measures(a.id)?.cpu ?? -1) - (measures(b.id)?.cpu ?? -1),
        memory: (a, b) => (measures(a.id)?.memory ?? -1) - (measures(b.id)?.memory ?? -1),
        created: (a, b) => a.created - b.created,
    };
    // Equal rows keep a place of their own: nothing jumps.
    return (a, b) => sign * by[key](a, b) || compareOrder(a.order, b.order) || compareOrder(a.id, b.id);
}
