// Streams as the engine sends them: lines of JSON, and stdout and stderr in
// one connection as frames.

/** Each line of a stream of JSON values. Ends with the stream; a broken last line is dropped. */
export async function* jsonLines<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = '';
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            rest += decoder.decode(value, { stream: true });
            const lines = rest.split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
        }
        const last = parsed<T>(rest);
        if (last !== undefined) yield last;
    } finally {
        reader.cancel().catch(() => undefined);
    }
}

function parsed<T>(text: string): T | undefined {
    try {
        return JSON.parse(text) as T;
    } catch {
        return undefined;
    }
}

export type Output = 'stdout' | 'stderr';

/**
 * Takes the engine's frames apart: one byte for the stream, three zeros, four
 * bytes of length, then the bytes. Chunks may end anywhere.
 */
export class Frames {
    #header = new Uint8Array(8);
    #have = 0;
    #left = 0;
    #output: Output = 'stdout';

    push(chunk: Uint8Array, sink: (output: Output, bytes: Uint8Array) => void): void {
        let at = 0;
        while (at < chunk.length) {
            if (this.#left === 0) {
                const taken = Math.min(8 - this.#have, chunk.length - at);
                this.#header.set(chunk.subarray(at, at + taken), this.#have);
                this.#have += taken;
                at += taken;
                if (this.#have < 8) return;
                this.#have = 0;
                this.#output = this.#header[0] === 2 ? 'stderr' : 'stdout';
                this.#left = new DataView(this.#header.buffer).getUint32(4);
                continue;
            }
            const taken = Math.min(this.#left, chunk.length - at);
            sink(this.#output, chunk.subarray(at, at + taken));
            this.#left -= taken;
            at += taken;
        }
    }
}
