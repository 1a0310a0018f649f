// Fails the build when what a start loads has grown too big: the scripts that
// index.html names and all that those import at once, each as gzip has it.
import { appendFile, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMIT = 250 * 1024;
const dist = new URL('../dist/', import.meta.url);

const html = await readFile(new URL('index.html', dist), 'utf8');
const waiting = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map((match) => match[1]);
const seen = new Map();
while (waiting.length > 0) {
    const name = waiting.pop();
    if (seen.has(name)) continue;
    const text = await readFile(new URL(name, dist), 'utf8');
    seen.set(name, gzipSync(text, { level: 9 }).length);
    for (const [, path] of text.matchAll(/(?:^|[;}\s])(?:import|export)(?:[^"'()]*?from)?\s*["']\.\/([^"']+\.js)["']/g)) {
        waiting.push(`assets/${path}`);
    }
}
const total = [...seen.values()].reduce((sum, size) => sum + size, 0);
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
console.log(`start: ${seen.size} scripts, ${kib(total)} gzip of ${kib(LIMIT)}`);
// `cargo xtask bench --window` makes a row of it.
const { DHOW_BENCH_ROWS } = process.env;
if (DHOW_BENCH_ROWS !== undefined) await appendFile(DHOW_BENCH_ROWS, `${JSON.stringify({ what: 'pages: script loaded at start, gzip', unit: 'KiB', values: [total / 1024] })}\n`);
if (seen.size === 0 || total > LIMIT) {
    console.error('what a start loads is too big, or was not found');
    process.exit(1);
}
