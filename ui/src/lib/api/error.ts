// What the engine says when it does not do what it was asked.

export class EngineError extends Error {
    override readonly name = 'EngineError';
    readonly status: number;

    constructor(status: number, message: string) {
        super(message);
        this.status = status;
    }
}

/** Reads the {message} of an answer's body; a body that has none speaks for itself. */
export function engineError(status: number, body: string): EngineError {
    try {
        const { message } = JSON.parse(body) as { message?: unknown };
        if (typeof message === 'string' && message !== '') return new EngineError(status, message);
    } catch {
        // Not JSON.
    }
    return new EngineError(status, body.trim() || `the engine answered ${status}`);
}

/** One line for a person, whatever was thrown. */
export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
