// The server's half of the browser host, as `dhow dashboard` has it, over a
// unix socket: for developing and for tests. The contract is written down in
// src/lib/host/contract.ts.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect as connectSocket, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

export interface BridgeOptions {
    readonly socket: string;
    /** The link may be opened again: for developing, where pages reload into new servers. */
    readonly reusable?: boolean;
    /** Opens the engine's socket: a test does it as somebody who may not. */
    readonly connect?: (path: string) => Socket;
}

export interface Bridge {
    /** The fragment that lets one browser in. */
    link(): string;
    /** Answers what is the bridge's; false means that it is not. */
    handle(request: IncomingMessage, response: ServerResponse): boolean;
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

interface OpenRequest {
    method: string;
    path: string;
    headers?: Record<string, string>;
    body?: string;
}

const COOKIE = 'dhow-session';
const HOP_BY_HOP = new Set(['connection', 'host', 'cookie', 'origin', 'referer', 'upgrade', 'keep-alive', 'accept-encoding']);

export function bridge({ socket, reusable = false, connect = connectSocket }: BridgeOptions): Bridge {
    const createConnection = () => connect(socket);
    const session = randomBytes(24).toString('hex');
    const tokens = new Set<string>();
    const sockets = new WebSocketServer({ noServer: true });

    const allowed = (request: IncomingMessage) => {
        const cookies = (request.headers.cookie ?? '').split(/;\s*/);
        const mine = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) ?? '';
        return same(mine, session) && sameOrigin(request);
    };

    function openSession(request: IncomingMessage, response: ServerResponse) {
        let body = '';
        request.on('data', (chunk) => (body += chunk));
        request.on('end', () => {
            const token = tokenOf(body);
            if (!sameOrigin(request) || !tokens.has(token)) {
                response.writeHead(401).end();
                return;
            }
            if (!reusable) tokens.delete(token);
            response.writeHead(204, { 'set-cookie': `${COOKIE}=${session}; HttpOnly; SameSite=Strict; Path=/` }).end();
        });
    }

    function pass(request: IncomingMessage, response: ServerResponse, path: string) {
        const headers = Object.fromEntries(
            Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name)),
        ) as Record<string, string>;
        const onward = httpRequest({ createConnection, method: request.method, path, headers: { ...headers, host: 'dhow' } });
        onward.on('response', (answer) => {
            response.writeHead(answer.statusCode ?? 502, withoutHops(answer));
            response.flushHeaders();
            answer.pipe(response);
            answer.on('error', () => response.destroy());
            answer.on('aborted', () => response.destroy());
        });
        onward.on('error', (error) => unreachable(response, error));
        response.on('close', () => onward.destroy());
        request.pipe(onward);
    }

    return {
        link() {
            const token = randomBytes(24).toString('hex');
            tokens.add(token);
            return `#token=${token}`;
        },
        handle(request, response) {
            const path = request.url ?? '/';
            if (path === '/session' && request.method === 'POST') {
                openSession(request, response);
            } else if (path === '/host.json' || path.startsWith('/engine/')) {
                if (!allowed(request)) response.writeHead(401).end();
                else if (path === '/host.json') {
                    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
                    response.end(JSON.stringify({ version: '0.1.0', engineHost: `unix://${socket}`, capabilities: [] }));
                } else pass(request, response, path.slice('/engine'.length));
            } else {
                return false;
            }
            return true;
        },
        upgrade(request, stream, head) {
            if (request.url !== '/engine-open') return false;
            if (!allowed(request)) {
                stream.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
                return true;
            }
            sockets.handleUpgrade(request, stream, head, (web) => hijack(web, createConnection));
            return true;
        },
    };
}

/** One hijacked connection: the first frame says what to open. */
function hijack(web: WebSocket, createConnection: () => Socket) {
    web.once('message', (first) => {
        const wanted = JSON.parse(String(first)) as OpenRequest;
        const body = wanted.body ?? '';
        const onward = httpRequest({
            createConnection,
            method: wanted.method,
            path: wanted.path,
            headers: {
                ...wanted.headers,
                host: 'dhow',
                connection: 'Upgrade',
                upgrade: 'tcp',
                'content-length': String(Buffer.byteLength(body)),
            },
        });
        onward.on('upgrade', (answer, stream, head) => {
            web.send(JSON.stringify({ status: answer.statusCode, headers: answer.headers }));
            if (head.length > 0) web.send(head);
            stream.on('data', (chunk) => {
                web.send(chunk);
                if (web.bufferedAmount > 1 << 20) {
                    stream.pause();
                    const timer = setInterval(() => {
                        if (web.bufferedAmount > 1 << 18 && web.readyState === web.OPEN) return;
                        clearInterval(timer);
                        stream.resume();
                    }, 5);
                }
            });
            stream.on('end', () => web.close(1000));
            stream.on('error', () => web.close(1011));
            web.on('message', (data, isBinary) => {
                if (isBinary) stream.write(data as Buffer);
                else if ((JSON.parse(String(data)) as { end?: boolean }).end) stream.end();
            });
            web.on('close', () => stream.destroy());
        });
        onward.on('response', (answer) => {
            let text = '';
            answer.on('data', (chunk) => (text += chunk));
            answer.on('end', () => {
                web.send(JSON.stringify({ status: answer.statusCode, headers: answer.headers, body: text }));
                web.close(1000);
            });
        });
        onward.on('error', (error) => {
            web.send(JSON.stringify({ status: 502, headers: { 'dhow-bridge': reason(error) }, body: problem(error) }));
            web.close(1000);
        });
        onward.end(body);
    });
}

function unreachable(response: ServerResponse, error: Error) {
    if (response.headersSent) {
        response.destroy();
        return;
    }
    response.writeHead(502, { 'content-type': 'application/json', 'dhow-bridge': reason(error) });
    response.end(problem(error));
}

const problem = (error: Error) => JSON.stringify({ message: error.message });

function reason(error: Error): 'denied' | 'unreachable' {
    return 'code' in error && error.code === 'EACCES' ? 'denied' : 'unreachable';
}

function withoutHops(answer: IncomingMessage): Record<string, string | string[]> {
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined && name !== 'transfer-encoding' && name !== 'connection') headers[name] = value;
    }
    return headers;
}

/** Browsers send Origin with everything that changes something; where there is one it has to be ours. */
function sameOrigin(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    return origin === undefined || origin === `http://${host}`;
}

function tokenOf(body: string): string {
    try {
        const { token } = JSON.parse(body) as { token?: unknown };
        return typeof token === 'string' ? token : '';
    } catch {
        return '';
    }
}

function same(a: string, b: string): boolean {
    return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
