// The path of a sparkline: the newest value is at the right edge, the scale
// begins at zero and ends at the highest value or at `floor`, so that noise
// near zero stays flat.

export interface SparklineShape {
    readonly width: number;
    readonly height: number;
    readonly floor: number;
    readonly capacity: number;
}

export function sparkline(values: readonly number[], shape: SparklineShape): { line: string; area: string } {
    const { width, height, floor, capacity } = shape;
    const shown = values.slice(-capacity);
    if (shown.length < 2) return { line: '', area: '' };
    const step = width / (capacity - 1);
    const top = Math.max(floor, ...shown);
    const left = width - (shown.length - 1) * step;
    const points = shown.map((value, index) => {
        const y = height - 1 - (Math.max(0, value) / top) * (height - 2);
        return `${round(left + index * step)} ${round(y)}`;
    });
    const line = `M${points.join('L')}`;
    return { line, area: `${line}V${height}H${round(left)}Z` };
}

const round = (value: number) => Math.round(value * 10) / 10;
