// A search on Docker Hub, or on another index that the term names: what was
// found, and what Enter does next. Who asks is resources/images.
import type { Answer } from '$lib/api/client';
import { registryOf } from '$lib/reference/reference';

export interface Hit {
    /** What pulls it. */
    readonly reference: string;
    readonly description: string;
    readonly stars: number;
    /** One of Docker's own. */
    readonly official: boolean;
}

export type Search =
    | { readonly state: 'idle' }
    | { readonly state: 'asking'; readonly term: string }
    | { readonly state: 'found'; readonly term: string; readonly hits: readonly Hit[] }
    | { readonly state: 'failed'; readonly term: string; readonly message: string };

/** In the index's own order, which is by how well they fit. */
export function hitsOf(answer: Answer<'/images/search'>, term: string): Hit[] {
    const registry = registryOf(term);
    const hits = new Map<string, Hit>();
    for (const { name = '', description = '', star_count = 0, is_official = false } of answer) {
        // Another index than the Hub's tells names without itself.
        const reference = registry === 'docker.io' || name.startsWith(`${registry}/`) ? name : `${registry}/${name}`;
        if (name === '' || hits.has(reference)) continue;
        hits.set(reference, { reference, description: description.replace(/\s+/g, ' ').trim(), stars: star_count, official: is_official });
    }
    return [...hits.values()];
}

/** The term as it is asked for: a tag or a digest finds nothing. */
export function termOf(typed: string): string {
    const name = typed.trim().replace(/@.*$/, '');
    const colon = name.lastIndexOf(':');
    return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

/** What Enter means: the marked hit is taken; otherwise what is typed is asked for, once. */
export function entered(search: Search, typed: string, at: number): { readonly do: 'take'; readonly hit: Hit } | { readonly do: 'ask'; readonly term: string } | null {
    const hit = search.state === 'found' ? search.hits[at] : undefined;
    if (hit !== undefined) return { do: 'take', hit };
    const term = termOf(typed);
    if (term === '' || (search.state === 'asking' && search.term === term)) return null;
    return { do: 'ask', term };
}

/** Where the mark goes by an arrow: round, and from nowhere to the nearest end. */
export function marked(at: number, step: 1 | -1, hits: number): number {
    if (hits === 0) return -1;
    if (at < 0) return step > 0 ? 0 : hits - 1;
    return (at + step + hits) % hits;
}
