// Numbers as a person reads them, the way docker's own commands print them:
// disk in powers of 1000, memory in powers of 1024.

export function diskSize(bytes: number): string {
    return scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
}

export function memorySize(bytes: number): string {
    return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

function scaled(value: number, base: number, units: readonly string[]): string {
    let left = Math.max(0, value);
    let unit = 0;
    // 999.95 would be printed as 1000.
    while (unit < units.length - 1 && left >= base - (unit === 0 ? 0 : 0.5)) {
        left /= base;
        unit += 1;
    }
    const digits = unit === 0 || left >= 99.95 ? 0 : left >= 9.995 ? 1 : 2;
    return `${Number(left.toFixed(digits))} ${units[unit] ?? ''}`;
}

export function percent(value: number): string {
    return `${value >= 99.95 ? Math.round(value) : value.toFixed(1)}%`;
}

const STEPS = [
    ['y', 31_536_000],
    ['mo', 2_592_000],
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
] as const;

/** A span as one number: "5 min". */
export function span(seconds: number): string {
    const whole = Math.max(0, Math.floor(seconds));
    for (const [unit, size] of STEPS) if (whole >= size) return `${Math.floor(whole / size)} ${unit}`;
    return '0 s';
}

/** The engine's times; what it has none for begins with year 1. */
export function timeOf(text: string | undefined): number | null {
    if (text === undefined || text === '' || text.startsWith('0001-')) return null;
    const milliseconds = Date.parse(text);
    return Number.isNaN(milliseconds) ? null : milliseconds;
}

export function shortId(id: string): string {
    return id.replace(/^sha256:/, '').slice(0, 12);
}

/** The time of day of one of the engine's times, in this machine's zone: "09:05:07.250". */
export function clockTime(text: string): string {
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) return text;
    const two = (part: number) => String(part).padStart(2, '0');
    return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
