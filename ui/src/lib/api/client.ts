// Docker's API, typed by its description, over whatever host there is.
//
// It knows paths, queries and JSON. Hijacked connections are the host's, and
// streams of frames or lines are ./stream's.
import type { EngineRequest, Host } from '$lib/host/types';
import { EngineError, engineError } from './error';
import type { components, paths } from './generated/docker';

export type Schemas = components['schemas'];

/** The newest version that the generated types describe. */
export const NEWEST_API = '1.55';

type Body<R> = R extends { content: infer C } ? C[keyof C] : undefined;
type Success<O> = O extends { responses: infer R }
    ? Body<R[Extract<keyof R, 200 | 201 | 202 | 204>]>
    : never;
type PathsWith<M extends string> = {
    [P in keyof paths]: M extends keyof paths[P] ? (undefined extends paths[P][M] ? never : P) : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends string> = M extends keyof paths[P] ? paths[P][M] : never;

/** What a GET of a path answers, as the description has it. */
export type Answer<P extends PathsWith<'get'>> = Success<Operation<P, 'get'>>;

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface Options {
    /** Values for the {names} of the path. */
    readonly path?: Record<string, string>;
    readonly query?: Query;
    readonly json?: unknown;
    readonly body?: BodyInit;
    readonly headers?: Record<string, string>;
    readonly signal?: AbortSignal;
}

export class Client {
    readonly host: Host;
    #version: string | null = null;

    constructor(host: Host) {
        this.host = host;
    }

    /** Speaks the newest version that both sides know. */
    speak(engineVersion: string): void {
        this.#version = newer(engineVersion, NEWEST_API) ? NEWEST_API : engineVersion;
    }

    async get<P extends PathsWith<'get'>>(path: P, options: Options = {}): Promise<Answer<P>> {
        return (await this.#json('GET', path, options)) as Answer<P>;
    }

    async post<P extends PathsWith<'post'>>(path: P, options: Options = {}): Promise<Success<Operation<P, 'post'>>> {
        return (await this.#json('POST', path, options)) as Success<Operation<P, 'post'>>;
    }

    async put<P extends PathsWith<'put'>>(path: P, options: Options = {}): Promise<void> {
        await this.#json('PUT', path, options);
    }

    async delete<P extends PathsWith<'delete'>>(path: P, options: Options = {}): Promise<Success<Operation<P, 'delete'>>> {
        return (await this.#json('DELETE', path, options)) as Success<Operation<P, 'delete'>>;
    }

    /** The answer itself, for bodies that stream. Answers of failure are thrown. */
    async stream(method: 'GET' | 'POST' | 'PUT', path: keyof paths, options: Options = {}): Promise<Response> {
        const answer = await this.host.request({ ...this.request(method, path, options), stays: true });
        if (answer.status >= 400) throw engineError(answer.status, await answer.text());
        return answer;
    }

    /** A request as the host wants it, for `host.open` too. */
    request(method: string, path: string, options: Options = {}): EngineRequest {
        const { json, body, signal } = options;
        const headers = { ...options.headers, ...(json === undefined ? {} : { 'content-type': 'application/json' }) };
        const version = this.#version === null ? '' : `/v${this.#version}`;
        return {
            method,
            path: `${version}${fill(path, options.path ?? {})}${queryString(options.query ?? {})}`,
            headers,
            ...(json === undefined ? (body === undefined ? {} : { body }) : { body: JSON.stringify(json) }),
            ...(signal === undefined ? {} : { signal }),
        };
    }

    async #json(method: string, path: string, options: Options): Promise<unknown> {
        const answer = await this.host.request(this.request(method, path, options));
        const text = await answer.text();
        if (answer.status >= 400) throw engineError(answer.status, text);
        if (text === '') return undefined;
        try {
            return JSON.parse(text);
        } catch {
            // Docker answers some commands with plain text.
            if (answer.headers.get('content-type')?.includes('json')) throw new EngineError(answer.status, 'the answer is no JSON');
            return text;
        }
    }
}

/** Puts values for {names} into a path; no value can leave its segment. */
export function fill(path: string, values: Record<string, string>): string {
    return path.replace(/\{(\w+)\}/g, (_, name: string) => {
        const value = values[name];
        if (value === undefined) throw new Error(`no value for {${name}} of ${path}`);
        return encodeURIComponent(value);
    });
}

export function queryString(query: Query): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
        if (value === undefined) continue;
        for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
    }
    const text = parameters.toString();
    return text === '' ? '' : `?${text}`;
}

/** Docker's filters: a JSON object of lists. */
export const filters = (wanted: Record<string, readonly string[]>): string => JSON.stringify(wanted);

/** Whether version a is newer than b: numbers, not text ("1.9" < "1.44"). */
export function newer(a: string, b: string): boolean {
    const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
    const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
    return aMajor > bMajor || (aMajor === bMajor && aMinor > bMinor);
}
