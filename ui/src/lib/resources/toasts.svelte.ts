// Short messages about what has happened. Failures stay until dismissed.

export interface Toast {
    readonly id: number;
    readonly tone: 'info' | 'good' | 'bad';
    readonly title: string;
    readonly detail: string;
}

const SHORT = 4_000;
const AT_MOST = 4;

export class Toasts {
    all = $state.raw<readonly Toast[]>([]);
    #next = 1;

    say(title: string, detail = ''): void {
        this.#add({ tone: 'info', title, detail });
    }

    fail(title: string, detail: string): void {
        this.#add({ tone: 'bad', title, detail });
    }

    dismiss(id: number): void {
        this.all = this.all.filter((toast) => toast.id !== id);
    }

    #add(toast: Omit<Toast, 'id'>): void {
        // The same message twice is one message.
        const others = this.all.filter((other) => other.title !== toast.title || other.detail !== toast.detail);
        const id = this.#next++;
        this.all = [...others, { ...toast, id }].slice(-AT_MOST);
        if (toast.tone !== 'bad') setTimeout(() => this.dismiss(id), SHORT);
    }
}
