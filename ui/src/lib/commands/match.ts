// Finds commands by a few letters of their name.

/**
 * How well a query fits a text; null where it does not. Every letter has to
 * come in order; letters in a row and at the beginning of words count more.
 */
export function score(query: string, text: string): number | null {
    const wanted = query.toLowerCase().replace(/\s+/g, '');
    if (wanted === '') return 0;
    const lower = text.toLowerCase();
    const whole = lower.indexOf(query.toLowerCase().trim());
    if (whole !== -1) return 1000 - whole - lower.length / 100 + (boundary(lower, whole) ? 200 : 0);
    let total = 0;
    let at = -1;
    for (const letter of wanted) {
        const next = lower.indexOf(letter, at + 1);
        if (next === -1) return null;
        total += next === at + 1 ? 8 : boundary(lower, next) ? 6 : 1;
        at = next;
    }
    return total - lower.length / 100;
}

const boundary = (text: string, at: number) => at === 0 || !/[a-z0-9]/.test(text[at - 1] ?? '');

/** The best first; those that fit equally well stay in their order. */
export function best<T>(query: string, all: readonly T[], textOf: (item: T) => string, limit: number): T[] {
    const scored = all.flatMap((item) => {
        const value = score(query, textOf(item));
        return value === null ? [] : [{ item, value }];
    });
    return scored
        .sort((a, b) => b.value - a.value)
        .slice(0, limit)
        .map(({ item }) => item);
}
