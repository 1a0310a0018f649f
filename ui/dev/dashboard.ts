// Puts the bridge into Vite's own servers: `npm run dev` and `npm run serve`.
import type { Plugin, PreviewServer, ViteDevServer } from 'vite';
import { bridge } from './bridge.ts';

export function dashboard(): Plugin {
    const attach = (server: ViteDevServer | PreviewServer) => {
        const ours = bridge({ socket: process.env['DHOW_SOCKET'] ?? '/run/dhow.sock', reusable: true });
        const link = ours.link();
        server.middlewares.use((request, response, next) => {
            if (!ours.handle(request, response)) next();
        });
        server.httpServer?.on('upgrade', (request, socket, head) => ours.upgrade(request, socket, head));
        server.httpServer?.once('listening', () => {
            const address = server.httpServer?.address();
            const port = address !== null && typeof address === 'object' ? address?.port : '';
            console.log(`\n  Dhow: http://127.0.0.1:${port}/${link}\n`);
        });
    };
    return { name: 'dhow-dashboard', configureServer: attach, configurePreviewServer: attach };
}
