// Chooses the host that this page runs in.
import { browserHost, enterSession } from './browser';
import type { Host } from './types';

export async function hostOfThisPage(): Promise<Host> {
    if ('__TAURI_INTERNALS__' in window) return (await import('./tauri')).tauriHost();
    await enterSession(location, history);
    return browserHost();
}
