import { defineConfig } from '@playwright/test';

export default defineConfig({
    testDir: 'tests/e2e',
    // Two engines at once is what two cores carry.
    workers: 2,
    fullyParallel: false,
    timeout: 60_000,
    expect: { timeout: 10_000 },
    reporter: [['list']],
    outputDir: 'test-results',
    projects: [
        { name: 'e2e', testMatch: '**/*.spec.ts' },
        { name: 'screenshots', testMatch: '**/*.shots.ts' },
        // Measures and says; asserts no times.
        { name: 'bench', testMatch: '**/*.bench.ts', timeout: 180_000, use: { trace: 'off' } },
    ],
    use: {
        viewport: { width: 1280, height: 800 },
        launchOptions: {
            executablePath: process.env['DHOW_CHROMIUM'] ?? '/usr/bin/chromium',
            args: ['--no-sandbox'],
        },
        trace: 'retain-on-failure',
    },
});
