import { expect, it, vi } from 'vitest';
import { patiently } from './patience';

const failing = (times: number, error: Error) => {
    const work = vi.fn(async () => {
        if (work.mock.calls.length <= times) throw error;
        return 'done';
    });
    return work;
};
const now = async () => undefined;

it('asks again where the network gave up', async () => {
    expect(await patiently(failing(2, new TypeError('Failed to fetch')), now)).toBe('done');
});

it('gives up at last, and at once where somebody has answered', async () => {
    const never = failing(9, new TypeError('Failed to fetch'));
    await expect(patiently(never, now)).rejects.toThrow('Failed to fetch');
    expect(never).toHaveBeenCalledTimes(3);
    const refused = failing(9, new Error('denied'));
    await expect(patiently(refused, now)).rejects.toThrow('denied');
    expect(refused).toHaveBeenCalledTimes(1);
});
