// Lines as text to copy or to save: raw words, as the container wrote them. A
// million of them take a while, so it gives way to the page in between.
import { wordsOf } from './ansi';
import type { LogBuffer } from './buffer';

const AT_ONCE = 16_384;

/** Pieces of text, one line each ending; `numbers` null is everything. */
export async function collect(buffer: LogBuffer, numbers: readonly number[] | null, times: boolean, giveWay: () => Promise<void>): Promise<string[]> {
    const pieces: string[] = [];
    const [from, to] = [buffer.first, buffer.end];
    const count = numbers?.length ?? to - from;
    for (let at = 0; at < count; at += AT_ONCE) {
        if (at > 0) await giveWay();
        const lines: string[] = [];
        for (let index = at; index < Math.min(count, at + AT_ONCE); index += 1) {
            // Lines that went meanwhile are gone.
            const line = buffer.line(numbers === null ? from + index : (numbers[index] as number));
            if (line === null) continue;
            const words = wordsOf(line.text);
            lines.push(times && line.time !== '' ? `${line.time} ${words}\n` : `${words}\n`);
        }
        pieces.push(lines.join(''));
    }
    return pieces;
}
