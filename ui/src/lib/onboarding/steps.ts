// The first steps: which there are here, which are done. Pure.
import type { CommandLineState, Native } from '$lib/host/types';

export const DONE = 'onboarded';

export type StepName = 'engine' | 'command' | 'container';

export interface Step {
    readonly name: StepName;
    readonly done: boolean;
    /** What it needs is there. */
    readonly open: boolean;
}

export interface Known {
    readonly running: boolean;
    /** Null where the host has no `dhow` to give. */
    readonly commandLine: CommandLineState | null;
    /** Where the container's page is; '' before it runs. */
    readonly welcome: string;
}

export function stepsOf({ running, commandLine, welcome }: Known): Step[] {
    const offered = commandLine !== null && commandLine.bundled !== '';
    return [
        { name: 'engine', done: running, open: true },
        ...(offered ? [{ name: 'command', done: commandLine.ours, open: true } as const] : []),
        { name: 'container', done: welcome !== '', open: running },
    ];
}

/** Only the app begins with them by itself: a dashboard's page is new in every browser. */
export function isFirstStart(native: Pick<Native, 'capabilities' | 'settings'>, hash: string): boolean {
    return native.capabilities.has('settings') && native.settings.get(DONE) !== 'yes' && /^#?\/?$/.test(hash);
}
