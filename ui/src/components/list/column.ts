// A column of a list.

export interface Column<K extends string> {
    readonly id: string;
    readonly label: string;
    /** Sorts by this when its head is pressed. */
    readonly sort?: K;
    /** As CSS has it in a grid. */
    readonly width: string;
    /** Numbers stand at the right edge, and so does their head. */
    readonly end?: boolean;
    /** Shown where the list is at least so wide: narrow windows lose first what is told elsewhere. */
    readonly from?: number;
}
