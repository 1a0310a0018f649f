// An image as one row of the list. Images without a name of their own are
// `dangling`: nothing finds them but their id.
import type { Schemas } from '$lib/api/client';
import { shortId } from '$lib/format/units';
import { compareText, type Order } from '$lib/list/arrange';
import { splitTag } from '$lib/reference/reference';

export interface ImageRow {
    readonly key: string;
    readonly id: string;
    /** The first tag, or the short id. */
    readonly name: string;
    readonly tags: readonly string[];
    readonly digests: readonly string[];
    readonly dangling: boolean;
    readonly parent: string;
    readonly size: number;
    /** In layers that other images have too; null where the engine did not count. */
    readonly shared: number | null;
    readonly unique: number | null;
    /** Seconds since 1970. */
    readonly created: number;
    readonly haystack: string;
}

export type ImageSort = 'name' | 'size' | 'used' | 'created';

const NONE = '<none>:<none>';
const NO_DIGEST = '<none>@<none>';

export function imageRow(image: Schemas['ImageSummary']): ImageRow {
    const tags = (image.RepoTags ?? []).filter((tag) => tag !== NONE).sort(compareText);
    const digests = (image.RepoDigests ?? []).filter((digest) => digest !== NO_DIGEST);
    const id = image.Id;
    const shared = image.SharedSize !== undefined && image.SharedSize >= 0 ? image.SharedSize : null;
    return {
        key: id,
        id,
        name: tags[0] ?? shortId(id),
        tags,
        digests,
        dangling: tags.length === 0,
        parent: image.ParentId ?? '',
        size: image.Size,
        shared,
        unique: shared === null ? null : Math.max(0, image.Size - shared),
        created: image.Created,
        haystack: [...tags, ...digests, id].join('\n').toLowerCase(),
    };
}

export function imageOrders(users: (id: string) => number): Record<ImageSort, Order<ImageRow>> {
    return {
        name: (a, b) => Number(a.dangling) - Number(b.dangling) || compareNames(a.name, b.name),
        size: (a, b) => a.size - b.size,
        used: (a, b) => users(a.id) - users(b.id),
        created: (a, b) => a.created - b.created,
    };
}

/** Repositories first, then their tags: `a:2` before `a-b:1`. */
function compareNames(a: string, b: string): number {
    const [left, right] = [splitTag(a), splitTag(b)];
    return compareText(left.repository, right.repository) || compareText(left.tag, right.tag);
}

/** By id, by the beginning of one, or by a name: what addresses have. */
export function findImage(rows: readonly ImageRow[], reference: string): ImageRow | undefined {
    const hex = reference.replace(/^sha256:/, '');
    return (
        rows.find((row) => row.id === reference || row.tags.includes(reference) || row.tags.includes(`${reference}:latest`)) ??
        (/^[0-9a-f]{6,64}$/.test(hex) ? rows.find((row) => row.id.startsWith(`sha256:${hex}`)) : undefined)
    );
}
