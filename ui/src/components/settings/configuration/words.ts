// What is wrong with the text of a configuration file, in words.
import type { Read } from '$lib/engine/document';
import { text } from '$lib/text';

export function faultText({ fault }: Read): string {
    const words = text.configuration;
    if (fault === null) return '';
    return fault === 'no-object' ? words.noObject : words.faultAt(fault.line, fault.column, words.fault[fault.kind]);
}
