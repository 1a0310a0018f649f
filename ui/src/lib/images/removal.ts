// What goes when images are removed or pruned: the engine's own rules, run on
// a copy of what it told, so that one sees the end before the beginning.
//
// Layers are counted once, by chain: a layer goes when no image that is left
// stands on it. Pure; who asks the engine is resources/images.

export interface ImageFacts {
    readonly id: string;
    readonly tags: readonly string[];
    readonly digests: readonly string[];
    readonly parent: string;
    /** Bottom first. */
    readonly layers: readonly LayerFacts[];
}

export interface LayerFacts {
    /** Of its content. Under different layers the same content is another layer. */
    readonly digest: string;
    readonly size: number;
}

export interface User {
    /** The container's name. */
    readonly name: string;
    readonly image: string;
    readonly running: boolean;
}

export type Why =
    | { readonly kind: 'running'; readonly containers: readonly string[] }
    | { readonly kind: 'stopped'; readonly containers: readonly string[] }
    | { readonly kind: 'children'; readonly images: readonly string[] };

export interface Removal {
    readonly images: readonly string[];
    /** What each of them frees; together `bytes`. */
    readonly frees: ReadonlyMap<string, number>;
    readonly names: readonly { readonly image: string; readonly name: string }[];
    /** Asked for and staying, with the reason. */
    readonly kept: readonly { readonly image: string; readonly why: Why }[];
    readonly bytes: number;
}

/** Removes images with all their names; `force` also those of stopped containers. */
export function removalOf(images: readonly ImageFacts[], users: readonly User[], chosen: readonly string[], force: boolean): Removal {
    const store = new Store(images, users);
    const kept: { image: string; why: Why }[] = [];
    // Children first: what stands on an image has to go before it.
    for (const id of childrenFirst(images, chosen)) {
        if (!store.has(id)) continue;
        const why = store.conflict(id, force);
        if (why === null) store.removeImage(id);
        else kept.push({ image: id, why });
    }
    return store.removal(kept);
}

/** Takes names away; the last one takes the image with it, unless it is in use. */
export function untagOf(images: readonly ImageFacts[], users: readonly User[], name: string): Removal {
    const store = new Store(images, users);
    const image = images.find((one) => one.tags.includes(name));
    if (image !== undefined) store.removeName(image.id, name);
    return store.removal([]);
}

/** As the engine prunes: those without a tag, or all that no container uses. */
export function pruneOf(images: readonly ImageFacts[], users: readonly User[], all: boolean): Removal {
    const store = new Store(images, users);
    for (const { id } of images) {
        if (!store.has(id)) continue;
        const { tags, digests } = store.names(id);
        if (tags.length === 0 && digests.length === 0) {
            // A step on the way to another image goes with that one.
            if (store.children(id).length === 0 && store.conflict(id, false) === null) store.removeImage(id);
        } else if (all || tags.length === 0) {
            for (const name of [...tags, ...digests]) store.removeName(id, name);
        }
    }
    return store.removal([]);
}

export function childrenFirst(images: readonly ImageFacts[], chosen: readonly string[]): string[] {
    const parents = new Map(images.map((image) => [image.id, image.parent]));
    const depth = (id: string): number => {
        let steps = 0;
        const seen = new Set<string>();
        for (let at = parents.get(id); at !== undefined && at !== '' && !seen.has(at); at = parents.get(at)) {
            seen.add(at);
            steps += 1;
        }
        return steps;
    };
    return [...chosen].sort((a, b) => depth(b) - depth(a));
}

interface Names {
    tags: readonly string[];
    digests: readonly string[];
}

class Store {
    readonly #all: ReadonlyMap<string, ImageFacts>;
    readonly #left: Map<string, Names>;
    readonly #users: readonly User[];
    readonly #gone: string[] = [];
    readonly #untagged: { image: string; name: string }[] = [];

    constructor(images: readonly ImageFacts[], users: readonly User[]) {
        this.#all = new Map(images.map((image) => [image.id, image]));
        this.#left = new Map(images.map(({ id, tags, digests }) => [id, { tags, digests }]));
        this.#users = users;
    }

    has(id: string): boolean {
        return this.#left.has(id);
    }

    names(id: string): Names {
        return this.#left.get(id) ?? { tags: [], digests: [] };
    }

    children(id: string): string[] {
        return [...this.#left.keys()].filter((other) => this.#all.get(other)?.parent === id);
    }

    conflict(id: string, force: boolean): Why | null {
        const children = this.children(id);
        if (children.length > 0) return { kind: 'children', images: children };
        const using = (running: boolean) => this.#users.filter((user) => user.image === id && user.running === running).map((user) => user.name);
        const running = using(true);
        if (running.length > 0) return { kind: 'running', containers: running };
        const stopped = using(false);
        return stopped.length > 0 && !force ? { kind: 'stopped', containers: stopped } : null;
    }

    removeName(id: string, name: string): void {
        const names = this.names(id);
        if (!names.tags.includes(name) && !names.digests.includes(name)) return;
        // The last name of an image in use stays: nobody would find it again.
        if (single(names) && this.#users.some((user) => user.image === id)) return;
        const without = (all: readonly string[]) => all.filter((one) => one !== name);
        let left = { tags: without(names.tags), digests: without(names.digests) };
        this.#untagged.push({ image: id, name });
        // With the last tag of a repository its digests go.
        const repository = repositoryOf(name);
        if (names.tags.includes(name) && !left.tags.some((tag) => repositoryOf(tag) === repository)) {
            for (const digest of left.digests.filter((one) => repositoryOf(one) === repository)) this.#untagged.push({ image: id, name: digest });
            left = { ...left, digests: left.digests.filter((one) => repositoryOf(one) !== repository) };
        }
        this.#left.set(id, left);
        if (left.tags.length === 0 && left.digests.length === 0 && this.conflict(id, false) === null) this.removeImage(id);
    }

    removeImage(id: string): void {
        const { tags, digests } = this.names(id);
        for (const name of [...tags, ...digests]) this.#untagged.push({ image: id, name });
        this.#left.delete(id);
        this.#gone.push(id);
        const parent = this.#all.get(id)?.parent ?? '';
        // A parent that has no name of its own goes with its last child.
        if (!this.has(parent)) return;
        const names = this.names(parent);
        if (names.tags.length === 0 && names.digests.length === 0 && this.conflict(parent, false) === null) this.removeImage(parent);
    }

    removal(kept: Removal['kept']): Removal {
        const held = new Set([...this.#left.keys()].flatMap((id) => chainsOf(this.#all.get(id))));
        const frees = new Map<string, number>();
        for (const id of this.#gone) {
            const image = this.#all.get(id);
            let bytes = 0;
            for (const [index, chain] of chainsOf(image).entries()) {
                // What two of them share is counted with the first.
                if (!held.has(chain)) bytes += image?.layers[index]?.size ?? 0;
                held.add(chain);
            }
            frees.set(id, bytes);
        }
        return { images: this.#gone, frees, names: this.#untagged, kept, bytes: [...frees.values()].reduce((sum, size) => sum + size, 0) };
    }
}

/** A layer together with all below it. */
function chainsOf(image: ImageFacts | undefined): string[] {
    let chain = '';
    return (image?.layers ?? []).map(({ digest }) => (chain = `${chain} ${digest}`));
}

/** Whether all names are in one repository, with at most one tag. */
function single({ tags, digests }: Names): boolean {
    if (tags.length + digests.length <= 1) return true;
    if (tags.length > 1) return false;
    return new Set([...tags, ...digests].map(repositoryOf)).size === 1;
}

function repositoryOf(name: string): string {
    const bare = name.replace(/@.*$/, '');
    const colon = bare.lastIndexOf(':');
    return colon > bare.lastIndexOf('/') ? bare.slice(0, colon) : bare;
}
