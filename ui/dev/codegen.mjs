// Makes the types of Docker's API from its description.
//
// The description is Swagger 2.0, which openapi-typescript refuses, so it is
// made OpenAPI 3 first. With --check nothing is written: it fails when what is
// committed is not what the description gives.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import converter from 'swagger2openapi';

const spec = new URL('../spec/docker-engine-v1.55.yaml', import.meta.url);
const target = new URL('../src/lib/api/generated/docker.d.ts', import.meta.url);

/** @returns {Promise<string>} the text of the generated file */
export async function generate() {
    const source = await readFile(spec, 'utf8');
    const { openapi } = await converter.convertStr(source, { patch: true, warnOnly: true });
    const types = astToString(await openapiTS(openapi));
    return `// Made by \`npm run codegen\` from spec/docker-engine-v1.55.yaml. Do not edit.\n${types}`;
}

/** @returns {Promise<string>} the text that is committed, or '' */
export async function committed() {
    return readFile(target, 'utf8').catch(() => '');
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
    const text = await generate();
    if (!process.argv.includes('--check')) {
        await writeFile(target, text);
    } else if (text !== (await committed())) {
        console.error('src/lib/api/generated/docker.d.ts is not what spec/ gives: run `npm run codegen`');
        process.exit(1);
    }
}
