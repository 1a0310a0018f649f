// What the browser host and its server (`dhow dashboard`) have agreed on.
//
// - The address that is printed ends in `#token=…`. The page POSTs {token} to
//   SESSION and gets 204 with an HttpOnly, SameSite=Strict cookie; a token
//   works once. Without the cookie everything below answers 401.
// - `ENGINE + path`: any method, handed to the engine as it is; the answer
//   streams back. Where no engine answers: 502, {message}, and BRIDGE_HEADER
//   with `unreachable` or `denied` (the socket is not for this person).
// - A WebSocket on OPEN is one hijacked connection. The first frame is text:
//   OpenRequest. The server answers one text frame: OpenAnswer. After status
//   101 or 200 binary frames are the connection's bytes, both ways; the text
//   frame END from the page closes its half; the server closes at the end.
// - GET HOST: HostDescription.

export const SESSION = '/session';
export const ENGINE = '/engine';
export const OPEN = '/engine-open';
export const HOST = '/host.json';
export const BRIDGE_HEADER = 'dhow-bridge';
export const END = '{"end":true}';

export interface OpenRequest {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
}

export interface OpenAnswer {
    readonly status: number;
    readonly headers?: Record<string, string>;
    /** Of an answer that is no hijacked connection. */
    readonly body?: string;
}

export interface HostDescription {
    readonly version: string;
    readonly engineHost: string;
    readonly capabilities: string[];
}
