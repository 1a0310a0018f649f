// Words of a command line as a POSIX shell takes and gives them. Nothing is
// expanded: `$` and `*` are letters here, and are quoted when given.

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

export function quote(word: string): string {
    if (PLAIN.test(word)) return word;
    return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export const join = (words: readonly string[]): string => words.map(quote).join(' ');

export type Split = { readonly words: readonly string[]; readonly error: null } | { readonly words: readonly string[]; readonly error: 'quote' };

/** Takes a line apart; a quote that is not closed is an error, and the rest of the line its word. */
export function split(line: string): Split {
    const words: string[] = [];
    let word = '';
    let inside = false;
    let open: '' | "'" | '"' = '';
    for (let at = 0; at < line.length; at += 1) {
        const letter = line[at] as string;
        const next = line[at + 1];
        if (open === "'") {
            if (letter === "'") open = '';
            else word += letter;
        } else if (letter === '\\' && next !== undefined) {
            at += 1;
            // A line that goes on in the next one.
            if (next === '\n') continue;
            if (next === '\r' && line[at + 1] === '\n') {
                at += 1;
                continue;
            }
            word += open === '"' && !'$`"\\'.includes(next) ? letter + next : next;
            inside = true;
        } else if (open === '"') {
            if (letter === '"') open = '';
            else word += letter;
        } else if (letter === "'" || letter === '"') {
            open = letter;
            inside = true;
        } else if (/\s/.test(letter)) {
            if (inside) words.push(word);
            word = '';
            inside = false;
        } else if (letter === '#' && !inside) {
            const end = line.indexOf('\n', at);
            if (end === -1) break;
            at = end;
        } else {
            word += letter;
            inside = true;
        }
    }
    if (inside) words.push(word);
    return { words, error: open === '' ? null : 'quote' };
}
