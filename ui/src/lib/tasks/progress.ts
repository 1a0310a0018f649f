// What a pull or a push has told so far, folded from the engine's lines of
// JSON into layers with a phase each.

export interface ProgressLine {
    readonly id?: string;
    readonly status?: string;
    readonly progressDetail?: { readonly current?: number; readonly total?: number };
    readonly error?: string;
    readonly errorDetail?: { readonly message?: string };
    readonly aux?: unknown;
}

export type Stage = 'waiting' | 'moving' | 'unpacking' | 'done';

export interface LayerProgress {
    readonly id: string;
    readonly stage: Stage;
    /** The engine's own word. */
    readonly status: string;
    readonly current: number;
    readonly total: number;
}

export interface Progress {
    /** In the order in which the engine named them. */
    readonly layers: readonly LayerProgress[];
    /** What was said about no layer, newest last. */
    readonly lines: readonly string[];
    readonly error: string | null;
}

export const nothingYet: Progress = { layers: [], lines: [], error: null };

const KEPT_LINES = 50;
const STAGES: Readonly<Record<string, Stage>> = {
    'Pulling fs layer': 'waiting',
    Waiting: 'waiting',
    Preparing: 'waiting',
    Retrying: 'waiting',
    Downloading: 'moving',
    Pushing: 'moving',
    'Verifying Checksum': 'moving',
    'Download complete': 'unpacking',
    Extracting: 'unpacking',
    'Pull complete': 'done',
    'Already exists': 'done',
    Pushed: 'done',
    'Layer already exists': 'done',
};

export function told(before: Progress, line: ProgressLine): Progress {
    const error = line.errorDetail?.message ?? line.error;
    if (error !== undefined) return { ...before, error };
    const { id, status = '' } = line;
    const stage = stageOf(status);
    if (id === undefined || stage === null) {
        if (status === '') return before;
        const text = id === undefined ? status : `${id}: ${status}`;
        return { ...before, lines: [...before.lines, text].slice(-KEPT_LINES) };
    }
    const at = before.layers.findIndex((layer) => layer.id === id);
    const known = before.layers[at];
    const { current, total } = line.progressDetail ?? {};
    const layer: LayerProgress = {
        id,
        stage,
        status,
        current: current ?? (stage === 'done' ? (known?.total ?? 0) : 0),
        total: total ?? known?.total ?? 0,
    };
    return { ...before, layers: at === -1 ? [...before.layers, layer] : before.layers.with(at, layer) };
}

function stageOf(status: string): Stage | null {
    if (status.startsWith('Mounted from')) return 'done';
    if (status.startsWith('Retrying in')) return 'waiting';
    return STAGES[status] ?? null;
}

/** How far one layer is: the way over the wire is its first half, unpacking its second. */
export function fractionOf(layer: LayerProgress, halves: boolean): number {
    const part = layer.total > 0 ? Math.min(1, layer.current / layer.total) : 0;
    switch (layer.stage) {
        case 'waiting':
            return 0;
        case 'moving':
            return halves ? part / 2 : part;
        case 'unpacking':
            return layer.status === 'Extracting' ? 0.5 + part / 2 : 0.5;
        case 'done':
            return 1;
    }
}

/** Of all layers together, by their sizes; those of unknown size count as the average. Null before any is known. */
export function overall(progress: Progress, halves: boolean): number | null {
    if (progress.layers.length === 0) return null;
    const sizes = progress.layers.map((layer) => layer.total).filter((size) => size > 0);
    const average = sizes.length === 0 ? 1 : sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    let [done, all] = [0, 0];
    for (const layer of progress.layers) {
        const weight = layer.total > 0 ? layer.total : average;
        done += weight * fractionOf(layer, halves);
        all += weight;
    }
    return done / all;
}

/** Of several tasks together, each as much as another; null where none knows. */
export function together(all: readonly (number | null)[]): number | null {
    const known = all.filter((one) => one !== null);
    return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / all.length;
}
