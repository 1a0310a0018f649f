// Chooses the host that this page runs in.
import { browserHost, enterSession } from './browser';
import type { Host } from './types';

export async function hostOfThisPage(): Promise<Host> {
    await enterSession(location, history);
    return browserHost();
}
