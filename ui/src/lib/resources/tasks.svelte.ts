// What takes a while: pulls, pushes, prunes, runs. Tasks live as long as the
// window, not as long as the screen that began them. What has ended stays for
// a while to be read.
import { messageOf } from '$lib/api/error';
import { jsonLines } from '$lib/api/stream';
import { nothingYet, told, type Progress, type ProgressLine } from '$lib/tasks/progress';

export type TaskKind = 'pull' | 'push' | 'prune' | 'load' | 'save';
export type TaskState = 'running' | 'done' | 'failed' | 'cancelled';

const KEPT = 30;
/** At most so often is what is seen renewed: a fast pull tells hundreds of lines a second. */
const FRAME = 80;

export class Task {
    readonly id: number;
    readonly kind: TaskKind;
    /** What it is about: a reference, or what is pruned. */
    readonly subject: string;
    readonly began = Date.now();
    state = $state<TaskState>('running');
    progress = $state.raw<Progress>(nothingYet);
    /** What came of it, or why nothing did. */
    detail = $state('');
    ended = $state<number | null>(null);
    /** Settles when it has ended, however it did. */
    readonly over: Promise<TaskState>;

    readonly #abort = new AbortController();
    #newest: Progress = nothingYet;
    #timer: ReturnType<typeof setTimeout> | null = null;

    constructor(id: number, kind: TaskKind, subject: string, run: (task: Task, signal: AbortSignal) => Promise<string>) {
        this.id = id;
        this.kind = kind;
        this.subject = subject;
        this.over = run(this, this.#abort.signal).then(
            (detail) => this.#end('done', detail),
            (error: unknown) => (this.#abort.signal.aborted ? this.#end('cancelled', '') : this.#end('failed', messageOf(error))),
        );
    }

    /** Only what streams can be cancelled: the engine stops when the connection is closed. */
    get cancellable(): boolean {
        return this.state === 'running' && this.kind !== 'prune';
    }

    cancel(): void {
        this.#abort.abort();
    }

    /** Follows a stream of progress to its end; an error in it is thrown. */
    async follow(body: ReadableStream<Uint8Array>): Promise<Progress> {
        for await (const line of jsonLines<ProgressLine>(body)) {
            this.#newest = told(this.#newest, line);
            this.#timer ??= setTimeout(() => this.#show(), FRAME);
        }
        this.#show();
        if (this.#newest.error !== null) throw new Error(this.#newest.error);
        return this.#newest;
    }

    #show(): void {
        if (this.#timer !== null) clearTimeout(this.#timer);
        this.#timer = null;
        this.progress = this.#newest;
    }

    #end(state: TaskState, detail: string): TaskState {
        this.#show();
        this.detail = detail;
        this.ended = Date.now();
        this.state = state;
        return state;
    }
}

export class Tasks {
    /** Newest first. */
    all = $state.raw<readonly Task[]>([]);
    #next = 1;

    get running(): readonly Task[] {
        return this.all.filter((task) => task.state === 'running');
    }

    start(kind: TaskKind, subject: string, run: (task: Task, signal: AbortSignal) => Promise<string>): Task {
        const task = new Task(this.#next++, kind, subject, run);
        const ended = this.all.filter((one) => one.state !== 'running').slice(0, KEPT);
        this.all = [task, ...this.all.filter((one) => one.state === 'running' || ended.includes(one))];
        return task;
    }

    /** The running task about something: a second click joins it. */
    find(kind: TaskKind, subject: string): Task | undefined {
        return this.running.find((task) => task.kind === kind && task.subject === subject);
    }

    forget(): void {
        this.all = this.running;
    }
}
