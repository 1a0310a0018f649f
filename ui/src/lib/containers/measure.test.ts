import { expect, it } from 'vitest';
import { appended, Meter, memoryOf, type RawStats, type Sample } from './measure';

const raw = (second: number, cpu: number, more: object = {}) =>
    ({ read: new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString(), cpu_stats: { cpu_usage: { total_usage: cpu } }, memory_stats: { usage: 100, limit: 1000, stats: { inactive_file: 30 } }, ...more }) as unknown as RawStats;

it('needs two readings, and tells percent of one core', () => {
    const meter = new Meter();
    expect(meter.measure(raw(0, 0), 0)).toBeNull();
    expect(meter.measure(raw(2, 3e9), 0)).toMatchObject({ cpu: 150, memory: 70, memoryLimit: 1000 });
});

it('begins anew with a container that was started again', () => {
    const meter = new Meter();
    meter.measure(raw(0, 5e9), 0);
    expect(meter.measure(raw(2, 1e9), 0)).toBeNull();
    expect(meter.measure(raw(4, 2e9), 0)?.cpu).toBe(50);
});

it('adds networks and devices to bytes each second', () => {
    const meter = new Meter();
    const more = (bytes: number) => ({ networks: { a: { rx_bytes: bytes, tx_bytes: 0 }, b: { rx_bytes: bytes, tx_bytes: bytes } }, blkio_stats: { io_service_bytes_recursive: [{ op: 'Read', value: bytes }, { op: 'write', value: 2 * bytes }] } });
    meter.measure(raw(0, 0, more(0)), 0);
    expect(meter.measure(raw(2, 1, more(1000)), 0)).toMatchObject({ received: 1000, sent: 500, read: 500, written: 1000 });
});

it('takes the cache off as docker does, of both kinds of cgroups', () => {
    const memory = (stats: object) => memoryOf({ memory_stats: { usage: 100, stats } } as unknown as RawStats);
    expect([memory({ total_inactive_file: 10, inactive_file: 5 }), memory({ inactive_file: 5 }), memory({ inactive_file: 500 }), memory({})]).toEqual([90, 95, 100, 100]);
});

it('keeps times ascending when the clock is set back', () => {
    const samples = [10, 20, 30].map((at) => ({ at }) as Sample);
    expect(appended(samples, { at: 40 } as Sample, 3).map(({ at }) => at)).toEqual([20, 30, 40]);
    expect(appended(samples, { at: 15 } as Sample, 3).map(({ at }) => at)).toEqual([10, 15]);
});
