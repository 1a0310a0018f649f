// The parts of the run dialog, and which of them a field stands in.
import type { Place } from '$lib/run/create';

export const PARTS = ['basics', 'ports', 'environment', 'storage', 'limits', 'health', 'system', 'more'] as const;
export type Part = (typeof PARTS)[number];

const FIELDS: Readonly<Record<string, Part>> = {
    image: 'basics',
    name: 'basics',
    command: 'basics',
    entrypoint: 'basics',
    port: 'ports',
    environment: 'environment',
    mount: 'storage',
    memory: 'limits',
    cpus: 'limits',
    restart: 'limits',
    retries: 'limits',
    healthCommand: 'health',
    healthInterval: 'health',
    healthTimeout: 'health',
    healthRetries: 'health',
    healthStartPeriod: 'health',
    healthStartInterval: 'health',
    logDriver: 'health',
    logOptions: 'health',
    devices: 'system',
    gpus: 'system',
    ulimits: 'system',
    sysctls: 'system',
    security: 'system',
    dns: 'system',
    hosts: 'system',
};

export const partOf = (place: Place): Part => FIELDS[place.replace(/:\d+$/, '')] ?? 'more';
