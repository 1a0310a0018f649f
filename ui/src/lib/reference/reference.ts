// Names of images: [host[:port]/]path[:tag][@digest].

export interface Reference {
    /** Without tag and digest, as it was written. */
    readonly name: string;
    readonly tag: string;
    readonly digest: string;
}

const NAME = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?\/|\[[0-9a-f:]+\](?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/;
const HOST = /^[A-Za-z0-9.-]+(?::\d+)?\//;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;

/** Null where it is no name of an image. */
export function parseReference(text: string): Reference | null {
    const at = text.indexOf('@');
    const digest = at === -1 ? '' : text.slice(at + 1);
    const rest = at === -1 ? text : text.slice(0, at);
    const colon = rest.lastIndexOf(':');
    // A colon before a slash belongs to a port.
    const tagged = colon > rest.lastIndexOf('/');
    const name = tagged ? rest.slice(0, colon) : rest;
    const tag = tagged ? rest.slice(colon + 1) : '';
    // Hosts may have capitals, paths may not.
    const host = HOST.exec(name)?.[0] ?? '';
    if (!NAME.test(host.toLowerCase() + name.slice(host.length))) return null;
    if ((tagged && !TAG.test(tag)) || (at !== -1 && !DIGEST.test(digest))) return null;
    return { name, tag, digest };
}

/** With `latest` where neither tag nor digest is said: what `docker pull` and `docker run` mean. */
export function withDefaultTag(text: string): string {
    const reference = parseReference(text);
    return reference === null || reference.tag !== '' || reference.digest !== '' ? text : `${text}:latest`;
}

/** The name without its tag, and the tag, for a list. */
export function splitTag(text: string): { repository: string; tag: string } {
    const colon = text.lastIndexOf(':');
    return colon > text.lastIndexOf('/') ? { repository: text.slice(0, colon), tag: text.slice(colon + 1) } : { repository: text, tag: '' };
}

/** The registry that a name is of, as logins call it. */
export function registryOf(text: string): string {
    const [first = ''] = text.split('/', 1);
    const isHost = text.includes('/') && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
    return !isHost || first === 'index.docker.io' ? 'docker.io' : first;
}

/** Whether a registry refused for want of a login, or of a better one. */
export const wantsLogin = (message: string): boolean => /\bdenied\b|unauthorized|authentication required|no basic auth credentials/i.test(message);
