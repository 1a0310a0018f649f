// What the browser host and its server (`dhow dashboard`) have agreed on.
//
// - The address that is printed ends in `#token=…`. The page POSTs {token} to
//   SESSION and gets {key} with an HttpOnly, SameSite=Strict cookie; a token
//   works once. Cookies ignore ports, so the cookie alone opens nothing: the
//   key, which a browser keeps for this origin only, comes with everything
//   below as SESSION_HEADER. Without both: 401 with BRIDGE_HEADER `session`.
// - `ENGINE + path`: any method, handed to the engine as it is; the answer
//   streams back. Where no engine answers: 502, {message}, and BRIDGE_HEADER
//   with `unreachable` or `denied` (the socket is not for this person).
// - A WebSocket on OPEN is one connection. The first frame is text:
//   OpenRequest, with the key. The server answers one text frame: OpenAnswer.
//   After status 101 binary frames are the connection's bytes, both ways; the
//   text frame END from the page closes its half. After any other 2xx they are
//   the answer's body: what stays open comes this way, because a browser has
//   six connections for one origin. The server closes at the end.
// - A request whose headers name a registry (REGISTRY_HEADER of types.ts) goes
//   to the engine with X-Registry-Auth for it, where somebody is logged in.
// - GET HOST: HostDescription.
// - GET REGISTRIES: LoginsAnswer. POST {server, user, secret}: the engine checks
//   the login, it is kept where `dhow login` keeps it, and the answer is
//   {status}. DELETE with ?server=…: 204. What fails is 4xx or 5xx, {message}.

import type { RegistryLogin } from './types';

export const SESSION = '/session';
export const ENGINE = '/engine';
export const OPEN = '/engine-open';
export const HOST = '/host.json';
export const REGISTRIES = '/registries';
export const BRIDGE_HEADER = 'dhow-bridge';
export const SESSION_HEADER = 'dhow-session';
export const END = '{"end":true}';

export interface SessionAnswer {
    readonly key: string;
}

export interface OpenRequest {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly session: string;
    readonly body?: string;
}

export interface OpenAnswer {
    readonly status: number;
    readonly headers?: Record<string, string>;
    /** Of an answer that is no success. */
    readonly body?: string;
}

export interface LoginsAnswer {
    readonly logins: readonly RegistryLogin[];
}

export interface HostDescription {
    readonly version: string;
    readonly engineHost: string;
    readonly capabilities: string[];
}
