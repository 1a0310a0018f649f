// A flat list as it is shown: searched, filtered, sorted. For lists without
// groups; that of containers has its own.

export interface Listed {
    readonly key: string;
    /** Breaks ties, so that equal rows keep a place of their own. */
    readonly name: string;
    /** Lower case, all that a search looks at. */
    readonly haystack: string;
}

export type Order<R> = (a: R, b: R) => number;

export interface Sort<K extends string> {
    readonly key: K;
    readonly descending: boolean;
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
export const compareText = (a: string, b: string): number => collator.compare(a, b);

export function arrange<R extends Listed>(
    rows: readonly R[],
    search: string,
    passes: (row: R) => boolean,
    order: Order<R>,
    descending: boolean,
): R[] {
    const words = search.toLowerCase().split(/\s+/).filter((word) => word !== '');
    const sign = descending ? -1 : 1;
    return rows
        .filter((row) => passes(row) && words.every((word) => row.haystack.includes(word)))
        .sort((a, b) => sign * order(a, b) || compareText(a.name, b.name) || compareText(a.key, b.key));
}
