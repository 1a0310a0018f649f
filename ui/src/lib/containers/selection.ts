// Which rows are chosen, and where the keyboard is. Keys, not places: rows may
// come, go and move in between.

export interface Selection {
    /** Where the keyboard is. */
    readonly cursor: string | null;
    /** Where a range began. */
    readonly anchor: string | null;
    readonly chosen: ReadonlySet<string>;
}

export const nothing: Selection = { cursor: null, anchor: null, chosen: new Set() };

export function moveBy(selection: Selection, keys: readonly string[], step: number, extend: boolean): Selection {
    if (keys.length === 0) return { ...selection, cursor: null };
    const now = selection.cursor === null ? -1 : keys.indexOf(selection.cursor);
    const next = now === -1 ? (step > 0 ? 0 : keys.length - 1) : Math.min(keys.length - 1, Math.max(0, now + step));
    return moveTo(selection, keys, keys[next] as string, extend);
}

export function moveTo(selection: Selection, keys: readonly string[], key: string, extend: boolean): Selection {
    if (!extend) return { ...selection, cursor: key, anchor: key };
    const anchor = selection.anchor ?? selection.cursor ?? key;
    const [from, to] = [keys.indexOf(anchor), keys.indexOf(key)].sort((a, b) => a - b) as [number, number];
    return { cursor: key, anchor, chosen: new Set(keys.slice(Math.max(0, from), to + 1)) };
}

export function toggle(selection: Selection, keys: readonly string[]): Selection {
    const chosen = new Set(selection.chosen);
    const all = keys.every((key) => chosen.has(key));
    for (const key of keys) {
        if (all) chosen.delete(key);
        else chosen.add(key);
    }
    return { ...selection, chosen };
}

export const choose = (selection: Selection, keys: Iterable<string>): Selection => ({ ...selection, chosen: new Set(keys) });

/** Forgets what is no longer there; the cursor moves to what took its place. */
export function keep(selection: Selection, before: readonly string[], keys: readonly string[]): Selection {
    const there = new Set(keys);
    const chosen = new Set([...selection.chosen].filter((key) => there.has(key)));
    if (selection.cursor === null || there.has(selection.cursor)) return { ...selection, chosen };
    const place = Math.min(before.indexOf(selection.cursor), keys.length - 1);
    return { cursor: keys[place] ?? null, anchor: null, chosen };
}
