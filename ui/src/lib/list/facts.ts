// Values as a page of facts shows them: one a line, or a word where there are
// none.

/** Labels and options. */
export function pairLines(values: Readonly<Record<string, string>> | null | undefined, none: string): string | readonly string[] {
    return someOr(Object.entries(values ?? {}).map(([key, value]) => (value === '' ? key : `${key}=${value}`)), none);
}

export const someOr = <T>(values: readonly T[], none: string): string | readonly T[] => (values.length === 0 ? none : values);
