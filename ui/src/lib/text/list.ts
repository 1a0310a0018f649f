// Texts that all flat lists share.
export const list = {
    show: 'Show',
    loading: 'Fetching the list',
    failed: 'The list could not be fetched',
    nothing: { title: 'Nothing fits', detail: 'None of them has all these words and passes this filter.', reset: 'Show all' },
    selected: (number: number) => `${number} selected`,
    clearSelection: 'Clear selection',
    selectAll: 'Select all',
    select: (name: string) => `Select ${name}`,
    actions: 'Actions',
    more: (name: string) => `More for ${name}`,
    remove: 'Remove…',
    ago: (span: string) => `${span} ago`,
    unknown: '–',
} as const;
