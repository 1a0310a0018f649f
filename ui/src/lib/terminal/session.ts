// One terminal in a container: makes an exec, and joins it with a screen.
import type { Client, Schemas } from '$lib/api/client';
import { EngineError } from '$lib/api/error';

export interface Wish {
    readonly user: string;
    readonly folder: string;
    /** Empty: the best shell that there is. */
    readonly command: string;
}

export interface Size {
    readonly columns: number;
    readonly rows: number;
}

export interface Session {
    write(text: string): void;
    resize(size: Size): void;
    close(): void;
    /** The exit code, when it has ended. Fails where it could not be started. */
    readonly ended: Promise<number | null>;
}

/** A shell that looks for a better one. sh is what nearly every image has. */
const BEST_SHELL = ['/bin/sh', '-c', 'exec "$(command -v bash || command -v ash || command -v sh)"'];

/** Words of a command as a shell has them: quotes hold words together. */
export function wordsOfCommand(line: string): string[] {
    const words: string[] = [];
    let word: string | null = null;
    let quote = '';
    for (let at = 0; at < line.length; at += 1) {
        const letter = line[at] as string;
        if (quote !== '') {
            if (letter === quote) quote = '';
            else if (letter === '\\' && quote === '"' && at + 1 < line.length) word += line[(at += 1)] as string;
            else word += letter;
        } else if (letter === '"' || letter === "'") {
            quote = letter;
            word ??= '';
        } else if (letter === '\\' && at + 1 < line.length) word = (word ?? '') + (line[(at += 1)] as string);
        else if (/\s/.test(letter)) {
            if (word !== null) words.push(word);
            word = null;
        } else word = (word ?? '') + letter;
    }
    if (word !== null) words.push(word);
    return words;
}

const FIRST_WORDS = 4_096;

/** A program that cannot be started is told of as if it had run: in its output. */
export function refused(exitCode: number, output: string): boolean {
    return (exitCode === 126 || exitCode === 127) && /^OCI runtime exec failed/.test(output.trimStart());
}

export async function open(client: Client, id: string, wish: Wish, size: Size, show: (bytes: Uint8Array) => void): Promise<Session> {
    const { user, folder, command } = wish;
    const made = (await client.post('/containers/{id}/exec', {
        path: { id },
        json: {
            AttachStdin: true,
            AttachStdout: true,
            AttachStderr: true,
            Tty: true,
            Env: ['TERM=xterm-256color', 'COLORTERM=truecolor'],
            ConsoleSize: [size.rows, size.columns],
            Cmd: command.trim() === '' ? BEST_SHELL : wordsOfCommand(command),
            ...(user === '' ? {} : { User: user }),
            ...(folder === '' ? {} : { WorkingDir: folder }),
        },
    })) as Schemas['IDResponse'];
    const exec = made.Id;
    const duplex = await client.host.open(
        client.request('POST', '/exec/{id}/start', { path: { id: exec }, json: { Detach: false, Tty: true, ConsoleSize: [size.rows, size.columns] } }),
    );
    const input = duplex.writable.getWriter();
    const encoder = new TextEncoder();

    const ended = (async () => {
        const decoder = new TextDecoder();
        let first = '';
        const reader = duplex.readable.getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
            if (first.length < FIRST_WORDS) first += decoder.decode(part.value, { stream: true });
            show(part.value);
        }
        const { ExitCode = null } = await client.get('/exec/{id}/json', { path: { id: exec } });
        if (ExitCode !== null && refused(ExitCode, first)) throw new EngineError(400, first.trim());
        return ExitCode;
    })();

    return {
        write: (text) => void input.write(encoder.encode(text)).catch(() => undefined),
        resize: ({ columns, rows }) =>
            void client.post('/exec/{id}/resize', { path: { id: exec }, query: { w: columns, h: rows } }).catch(() => undefined),
        close: () => duplex.close(),
        ended,
    };
}
