// Images to and from files: the task goes on behind, and says how it ended.
import type { App } from '$lib/app.svelte';
import type { ImageRow } from '$lib/images/row';
import type { Task } from '$lib/resources/tasks.svelte';
import { text } from '$lib/text';

interface Words {
    readonly running: (name: string) => string;
    readonly done: (name: string) => string;
    readonly failed: (name: string) => string;
}

export const saveImages = (app: App, images: readonly ImageRow[]): Promise<void> => tell(app, app.images.save(images), text.images.save);

export const loadImages = (app: App, file: File): Promise<void> => tell(app, app.images.load(file), text.images.load);

async function tell(app: App, task: Task, words: Words): Promise<void> {
    app.toasts.say(words.running(task.subject));
    const state = await task.over;
    if (state === 'done') app.toasts.say(words.done(task.subject), task.detail);
    else if (state === 'failed') app.toasts.fail(words.failed(task.subject), task.detail);
}

/** Asks the person for files; one chosen after another is loaded at once. */
export function chooseImages(app: App): void {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.accept = '.tar,.tgz,.gz,.xz,.zst,.bz2,application/x-tar';
    input.addEventListener('change', () => {
        for (const file of input.files ?? []) void loadImages(app, file);
    });
    input.click();
}
