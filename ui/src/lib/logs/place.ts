// Where lines of unknown heights lie in a pane that scrolls as if all had one.
//
// How far one has scrolled, 0 to 1, says which line is there (that part of all
// lines) and at which height of the pane it lies (that part of the pane). For
// lines of one height this is what scrolling does anyway; at both ends the
// first and the last are whole, however high they are; and in between nothing
// needs to be measured but the lines in sight.

export interface Pane {
    readonly top: number;
    readonly height: number;
    readonly rowHeight: number;
    readonly count: number;
}

export interface Anchor {
    readonly index: number;
    /** How much of the line lies above the anchor, 0 to 1. */
    readonly part: number;
    /** Where the anchor is, in pixels below the pane's top. */
    readonly offset: number;
}

export function anchorOf({ top, height, rowHeight, count }: Pane): Anchor {
    const way = Math.max(1, count * rowHeight - height);
    const share = Math.min(1, Math.max(0, top / way));
    const at = share * count;
    const index = Math.max(0, Math.min(count - 1, Math.floor(at)));
    return { index, part: at - index, offset: share * height };
}

/** The lines that may be in sight around an anchor. */
export function around({ index }: Anchor, { height, rowHeight, count }: Pane, spare: number): { from: number; to: number } {
    const most = Math.ceil(height / rowHeight) + spare;
    return { from: Math.max(0, index - most), to: Math.min(count, index + most + 1) };
}

/** How far to scroll for a line to lie in the middle, or nearly. */
export function topFor(index: number, { height, rowHeight, count }: Pane): number {
    return (index / Math.max(1, count)) * Math.max(0, count * rowHeight - height);
}
