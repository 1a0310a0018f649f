// Which rows of a list are in sight.

export interface Viewport {
    readonly top: number;
    readonly height: number;
    readonly rowHeight: number;
    readonly count: number;
    /** Rows kept beyond each edge, so that scrolling meets no gap. */
    readonly spare: number;
}

export function inSight({ top, height, rowHeight, count, spare }: Viewport): { from: number; to: number } {
    const last = Math.max(0, count * rowHeight - height);
    const at = Math.min(Math.max(0, top), last);
    const from = Math.max(0, Math.floor(at / rowHeight) - spare);
    const to = Math.min(count, Math.ceil((at + height) / rowHeight) + spare);
    return { from, to };
}
