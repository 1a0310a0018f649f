// Images: the list, kept true by events, and what can be done with them.
//
// Details of an image (platform, layers, history) never change: each is asked
// for once and kept by id.
import { filters, type Client, type Schemas } from '$lib/api/client';
import { messageOf } from '$lib/api/error';
import { stepsOf, type Step } from '$lib/images/history';
import { childrenFirst, type ImageFacts, type User } from '$lib/images/removal';
import { findImage, imageRow, type ImageRow } from '$lib/images/row';
import { hitsOf, type Hit } from '$lib/images/search';
import { REGISTRY_HEADER } from '$lib/host/types';
import { parseReference, registryOf, withDefaultTag } from '$lib/reference/reference';
import { SvelteMap } from 'svelte/reactivity';
import type { Row } from '$lib/containers/row';
import type { Change } from './changes';
import type { Engine, EngineEvent } from './engine.svelte';
import { Listing } from './listing.svelte';
import type { Task, Tasks } from './tasks.svelte';

export interface ImageDetail {
    readonly inspected: Schemas['ImageInspect'];
    /** `amd64`, `arm/v7`. */
    readonly architecture: string;
    readonly steps: readonly Step[];
}

export interface Pruned {
    readonly images: readonly string[];
    readonly bytes: number;
}

const AT_ONCE = 4;
/** What a search answers at most: the best come first. */
const FOUND = 50;
const QUIET = new Set(['push', 'save']);

export class Images {
    /** By id; what is not there was not asked for yet. */
    readonly details = new SvelteMap<string, ImageDetail>();
    readonly #asked = new Map<string, Promise<ImageDetail>>();
    readonly #client: Client;
    readonly #engine: Engine;
    readonly #tasks: Tasks;
    #listing = $state.raw<Listing<ImageRow> | null>(null);

    constructor(engine: Engine, tasks: Tasks) {
        this.#engine = engine;
        this.#client = engine.client;
        this.#tasks = tasks;
    }

    /** Begins to keep the list; before that nobody has asked for it. */
    want(): void {
        this.#listing ??= new Listing(this.#engine, {
            id: (row) => row.key,
            all: async (signal) => (await this.#client.get('/images/json', { query: { 'shared-size': true }, signal })).map(imageRow),
            concerns: imageChange,
        });
    }

    get rows(): readonly ImageRow[] {
        return this.#listing?.items ?? [];
    }
    get loaded(): boolean {
        return this.#listing?.loaded ?? false;
    }
    get error(): string | null {
        return this.#listing?.error ?? null;
    }
    refresh(): void {
        this.#listing?.refresh();
    }

    find(reference: string): ImageRow | undefined {
        return findImage(this.rows, reference);
    }

    /** Asks for what the list does not tell, a few images at a time. */
    async look(ids: readonly string[]): Promise<void> {
        const waiting = ids.filter((id) => !this.details.has(id) && !this.#asked.has(id));
        const worker = async () => {
            for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await this.detail(id).catch(() => undefined);
        };
        await Promise.all(Array.from({ length: AT_ONCE }, worker));
    }

    detail(id: string): Promise<ImageDetail> {
        const known = this.#asked.get(id);
        if (known !== undefined) return known;
        const asked = this.#detail(id);
        this.#asked.set(id, asked);
        asked.catch(() => this.#asked.delete(id));
        return asked;
    }

    async #detail(id: string): Promise<ImageDetail> {
        const path = { name: id };
        const [inspected, history] = await Promise.all([
            this.#client.get('/images/{name}/json', { path }),
            this.#client.get('/images/{name}/history', { path }),
        ]);
        const { Architecture = '', Variant = '' } = inspected;
        const detail: ImageDetail = {
            inspected,
            architecture: Variant === '' ? Architecture : `${Architecture}/${Variant}`,
            steps: stepsOf(history, inspected.RootFS?.Layers ?? []),
        };
        this.details.set(id, detail);
        return detail;
    }

    /** Everything that removal is decided by, asked anew: the list leaves out steps on the way. */
    async facts(): Promise<ImageFacts[]> {
        const all = (await this.#client.get('/images/json', { query: { all: true } })).map(imageRow);
        await this.look(all.map((row) => row.id));
        return Promise.all(
            all.map(async (row): Promise<ImageFacts> => {
                const { steps } = await this.detail(row.id);
                const layers = steps.flatMap(({ layer, size }) => (layer === null ? [] : [{ digest: layer, size }]));
                return { id: row.id, tags: row.tags, digests: row.digests, parent: row.parent, layers };
            }),
        );
    }

    /** Asks Docker Hub, or the index that the term names, through the engine. */
    async search(term: string, signal: AbortSignal): Promise<Hit[]> {
        const query = { term, limit: FOUND };
        return hitsOf(await this.#client.get('/images/search', { query, headers: { [REGISTRY_HEADER]: registryOf(term) }, signal }), term);
    }

    pull(reference: string, platform = ''): Task {
        const subject = withDefaultTag(reference.trim());
        return this.#tasks.find('pull', subject) ?? this.#tasks.start('pull', subject, async (task, signal) => {
            const { name, tag, digest } = parseReference(subject) ?? { name: subject, tag: '', digest: '' };
            const query = { fromImage: name, tag: digest === '' ? tag : digest, ...(platform === '' ? {} : { platform }) };
            const answer = await this.#client.stream('POST', '/images/create', { query, headers: { [REGISTRY_HEADER]: registryOf(subject) }, signal });
            if (answer.body === null) return '';
            return (await task.follow(answer.body)).lines.at(-1)?.replace(/^Status: /, '') ?? '';
        });
    }

    push(reference: string): Task {
        const subject = withDefaultTag(reference);
        return this.#tasks.find('push', subject) ?? this.#tasks.start('push', subject, async (task, signal) => {
            const { name, tag } = parseReference(subject) ?? { name: subject, tag: '' };
            const answer = await this.#client.stream('POST', '/images/{name}/push', {
                path: { name },
                query: { tag },
                // The engine wants the second, be it empty; the host puts a login there.
                headers: { [REGISTRY_HEADER]: registryOf(subject), 'x-registry-auth': btoa('{}') },
                signal,
            });
            if (answer.body === null) return '';
            return (await task.follow(answer.body)).lines.at(-1) ?? '';
        });
    }

    /** Images from a file that `docker save` has made. */
    load(file: File): Task {
        return this.#tasks.start('load', file.name, async (task, signal) => {
            const answer = await this.#client.stream('POST', '/images/load', { body: file, headers: { 'content-type': 'application/x-tar' }, signal });
            if (answer.body === null) return '';
            return (await task.follow(answer.body)).lines.map((line) => line.trim()).filter((line) => line !== '').join(', ');
        });
    }

    /** Into one file, which the host puts where the person wants it. */
    save(images: readonly ImageRow[]): Task {
        const names = images.flatMap((image) => (image.tags.length === 0 ? [image.id] : image.tags));
        const file = `${(images.length === 1 ? (names[0] ?? '') : 'images').replace(/^sha256:/, '').replace(/[^\w.-]+/g, '_')}.tar`;
        return this.#tasks.start('save', images.map((image) => image.name).join(', '), async (_, signal) => {
            const answer = await this.#client.stream('GET', '/images/get', { query: { names }, signal });
            await this.#client.host.native.saveFile(file, await answer.blob());
            return file;
        });
    }

    async tag(id: string, reference: string): Promise<void> {
        const { name, tag } = parseReference(withDefaultTag(reference)) ?? { name: reference, tag: 'latest' };
        await this.#client.post('/images/{name}/tag', { path: { name: id }, query: { repo: name, tag } });
    }

    async untag(name: string): Promise<void> {
        await this.#client.delete('/images/{name}', { path: { name } });
    }

    /**
     * Removes images with all their names. Without force names go one by one:
     * the engine refuses several at once. What failed is told, not thrown.
     */
    async remove(facts: readonly ImageFacts[], ids: readonly string[], force: boolean): Promise<{ id: string; error: string }[]> {
        const failures: { id: string; error: string }[] = [];
        for (const id of childrenFirst(facts, ids)) {
            const names = facts.find((one) => one.id === id)?.tags ?? [];
            const words = force || names.length < 2 ? [id] : names;
            try {
                for (const name of words) await this.#client.delete('/images/{name}', { path: { name }, query: { force } });
            } catch (error) {
                failures.push({ id, error: messageOf(error) });
            }
        }
        return failures;
    }

    async prune(all: boolean): Promise<Pruned> {
        const answer = await this.#client.post('/images/prune', { query: { filters: filters({ dangling: [String(!all)] }) } });
        return {
            images: (answer.ImagesDeleted ?? []).flatMap((item) => item.Deleted ?? []),
            bytes: answer.SpaceReclaimed ?? 0,
        };
    }
}

export const usersOf = (rows: readonly Row[]): User[] =>
    rows.map((row) => ({ name: row.name, image: row.imageId, running: ['running', 'paused', 'restarting'].includes(row.state) }));

/** Images are few and cannot be asked for by id: any change means the whole list. */
export function imageChange(event: EngineEvent): Change | null {
    const commit = event.Type === 'container' && event.Action === 'commit';
    if ((event.Type !== 'image' || QUIET.has(event.Action)) && event.Type !== 'builder' && !commit) return null;
    return { id: 'images', gone: false };
}
