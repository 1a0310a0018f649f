// Subnets as far as the form has to know them: is it one, and does it overlap.

export interface Subnet {
    readonly from: bigint;
    readonly to: bigint;
    readonly bits: 32 | 128;
}

/** Null where it is none. Host bits may be set: the engine says what it thinks of them. */
export function parseSubnet(text: string): Subnet | null {
    const [address = '', length = '', ...more] = text.trim().split('/');
    const number = parseAddress(address);
    if (number === null || more.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > number.bits) return null;
    const size = 1n << BigInt(number.bits - Number(length));
    const from = (number.value / size) * size;
    return { from, to: from + size - 1n, bits: number.bits };
}

export const overlaps = (a: Subnet, b: Subnet): boolean => a.bits === b.bits && a.from <= b.to && b.from <= a.to;

export function contains(subnet: Subnet, address: string): boolean {
    const number = parseAddress(address.trim());
    return number !== null && number.bits === subnet.bits && number.value >= subnet.from && number.value <= subnet.to;
}

function parseAddress(text: string): { value: bigint; bits: 32 | 128 } | null {
    if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
        const parts = text.split('.').map(Number);
        if (parts.some((part) => part > 255)) return null;
        return { value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n), bits: 32 };
    }
    const halves = text.split('::');
    if (!text.includes(':') || halves.length > 2) return null;
    const groups = (half: string | undefined) => (half === undefined || half === '' ? [] : half.split(':'));
    const [left, right] = [groups(halves[0]), groups(halves[1])];
    const missing = 8 - left.length - right.length;
    if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
    const all = [...left, ...Array<string>(missing).fill('0'), ...right];
    if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
    return { value: all.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n), bits: 128 };
}
