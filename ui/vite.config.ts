import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { dashboard } from './dev/dashboard.ts';
import { contentSecurityPolicy } from './dev/policy.ts';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig(({ mode }) => ({
    plugins: [svelte(), dashboard(), contentSecurityPolicy()],
    // Relative, so that the same build is served by `dhow dashboard` and by the
    // app's own protocol.
    base: './',
    resolve: {
        alias: { $lib: source('lib'), $ui: source('components/ui'), $components: source('components') },
        // Vitest would take Svelte's server build otherwise.
        ...(mode === 'test' ? { conditions: ['browser'] } : {}),
    },
    server: { host: '127.0.0.1', port: 5173 },
    preview: { host: '127.0.0.1', port: 5174 },
    build: {
        target: 'es2022',
        // A data: address would need a wider policy.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        // One file, there from the start: a style that does not load has no second try.
        cssCodeSplit: false,
        reportCompressedSize: false,
    },
    test: {
        include: ['src/**/*.test.ts', 'dev/**/*.test.ts'],
        environment: 'node',
        restoreMocks: true,
    },
}));
