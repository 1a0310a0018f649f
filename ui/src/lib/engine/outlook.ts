// What is said about an engine that is not there, and what can be done: from
// what the host says where it can say anything, else from what the page sees.
import type { EngineState } from '$lib/host/types';
import { text } from '$lib/text';
import type { Trouble } from './connection';

export interface Outlook {
    readonly title: string;
    readonly detail: string;
    /** Something is under way, and nobody has to do anything. */
    readonly busy: boolean;
    /** The host can start one; `password` where that takes one. */
    readonly start: 'plain' | 'password' | null;
    readonly retry: boolean;
}

export interface Seen {
    readonly trouble: Trouble;
    readonly address: string;
    /** Null where the host knows nothing of engines. */
    readonly host: EngineState | null;
    readonly seconds: number;
}

export function outlookOf({ trouble, address, host, seconds }: Seen): Outlook {
    const words = text.app.trouble;
    const idle = { busy: false, start: null, retry: trouble !== 'session' } as const;
    // What the page sees of one that answers the host is the page's to tell.
    if (host === null || host.state === 'up') return { title: words[trouble].title, detail: words[trouble].detail(address), ...idle };
    switch (host.state) {
        case 'looking':
        case 'starting':
            return { title: words.host[host.state], detail: words.host.soon, busy: true, start: null, retry: false };
        case 'restarting':
            return { title: words.host.restarting, detail: words.host.again(seconds, host.attempt), busy: true, start: null, retry: true };
        case 'unreachable': {
            const start = host.start === null ? null : host.start === 'direct' ? 'plain' : 'password';
            const detail = [host.message === '' ? words.host.why[host.why] : sentence(host.message), start === 'password' ? words.host.password : ''];
            return { title: words.host.title[host.why], detail: detail.filter((part) => part !== '').join(' '), busy: false, start, retry: true };
        }
    }
}

/** What programs say begins small and ends without a full stop. */
export const sentence = (message: string): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?…]$/.test(message) ? '' : '.'}`;
