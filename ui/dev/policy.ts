// The page's own content policy, put into the built index.html. The server
// sends the same one as a header; two policies can only narrow each other.
import type { Plugin } from 'vite';

export const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    // The app's bridge has an address of its own.
    "connect-src 'self' ipc: http://ipc.localhost",
    "base-uri 'none'",
    "form-action 'none'",
].join('; ');

export function contentSecurityPolicy(): Plugin {
    return {
        name: 'dhow-content-security-policy',
        // Vite's own client needs inline styles while developing.
        apply: 'build',
        transformIndexHtml: () => [
            {
                tag: 'meta',
                attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
                injectTo: 'head-prepend',
            },
        ],
    };
}
