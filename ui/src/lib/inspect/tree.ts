// A JSON value as the lines of a tree that opens and closes.

export interface TreeLine {
    /** Of keys, from the root: what closes and opens. */
    readonly path: string;
    readonly depth: number;
    readonly key: string;
    /** null for what has lines below it. */
    readonly value: string | null;
    readonly kind: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';
    readonly size: number;
    readonly open: boolean;
}

export interface TreeQuery {
    readonly search: string;
    readonly closed: ReadonlySet<string>;
}

/** Lines of all that is open, or, with a search, of all that leads to what was found. */
export function linesOf(root: unknown, { search, closed }: TreeQuery): TreeLine[] {
    const wanted = search.trim().toLowerCase();
    const lines: TreeLine[] = [];
    const walk = (value: unknown, key: string, path: string, depth: number, whole: boolean): boolean => {
        const kind = kindOf(value);
        const shown = kind === 'object' || kind === 'array' ? null : kind === 'string' ? (value as string) : String(value);
        const here = whole || wanted === '' || `${key}\n${shown ?? ''}`.toLowerCase().includes(wanted);
        const place = lines.length;
        const inside = entries(value);
        const open = inside.length > 0 && (wanted !== '' || !closed.has(path));
        lines.push({ path, depth, key, value: shown, kind, size: inside.length, open });
        let below = false;
        if (open) {
            // What is below a key that was found is shown with it.
            for (const [name, child] of inside) below = walk(child, name, join(path, name, kind === 'array'), depth + 1, here && wanted !== '') || below;
        }
        if (!here && !below) lines.length = place;
        return here || below;
    };
    for (const [name, child] of entries(root)) walk(child, name, join('', name, Array.isArray(root)), 0, false);
    return lines;
}

/** A path as jq and Go templates have it: `.HostConfig.Binds[0]`. */
function join(path: string, name: string, index: boolean): string {
    if (index) return `${path}[${name}]`;
    return /^[A-Za-z_]\w*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

function entries(value: unknown): [string, unknown][] {
    if (Array.isArray(value)) return value.map((child, index) => [String(index), child]);
    return value !== null && typeof value === 'object' ? Object.entries(value) : [];
}

function kindOf(value: unknown): TreeLine['kind'] {
    if (value === null || value === undefined) return 'null';
    if (Array.isArray(value)) return 'array';
    const kind = typeof value;
    return kind === 'object' || kind === 'string' || kind === 'number' || kind === 'boolean' ? kind : 'string';
}
