// Every screen of things and every dialog of theirs, held to WCAG A and AA in
// both themes by axe.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import { objects } from '../fixtures/objects.mjs';
import { expect, test } from '../fixtures/test.ts';
import { go } from './pages/dialogs.ts';

interface Axe {
    run(context: object, options: object): Promise<{ passes: unknown[]; violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    return page.evaluate(async () => {
        const { axe } = window as unknown as { axe: Axe };
        const found = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] });
        // A run that looked at nothing is no pass.
        if (found.passes.length < 10) return [`axe looked at ${found.passes.length} things only`];
        return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`));
    });
}

test('screens and dialogs have names, roles and contrast', async ({ page, engine, problems }) => {
    test.setTimeout(180_000);
    await objects(engine.socket, 28600);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const dialogs: Record<string, string> = {
        'Run a container': '#/images',
        'Pull an image': '#/images',
        'Clean up images': '#/images',
        'Create a volume': '#/volumes',
        'Clean up volumes': '#/volumes',
        'Create a network': '#/networks',
    };
    const check = async (what: string) => {
        for (const theme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
            // The theme fades over.
            await page.waitForTimeout(250);
            expect(await violations(page), `${what}, ${theme}`).toEqual([]);
        }
    };
    for (const place of ['images', 'images/shop%2Fapi%3A1.4.2', 'images/shop%2Fapi%3A1.4.2/config', 'images/shop%2Fapi%3A1.4.2/names', 'images/shop%2Fapi%3A1.4.2/used', 'images/shop%2Fapi%3A1.4.2/inspect', 'volumes', 'volumes/shop_pgdata', 'networks', 'networks/bridge', 'activity', 'settings', 'settings/general', 'settings/engine', 'settings/engine/form', 'settings/engine/text', 'settings/registries', 'settings/contexts', 'help', 'welcome']) {
        await go(page, `#/${place}`);
        await page.waitForTimeout(600);
        await check(place);
    }
    for (const [title, place] of Object.entries(dialogs)) {
        await go(page, place);
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox').first().fill(title);
        await page.keyboard.press('Enter');
        await expect(page.getByRole('dialog', { name: title })).toBeVisible();
        await page.waitForTimeout(400);
        await check(title);
        if (title === 'Run a container') {
            for (const part of ['Ports', 'Environment', 'Storage', 'Limits', 'Health', 'System', 'More']) {
                await page.getByRole('tab', { name: part }).click();
                const add = page.getByRole('tabpanel', { name: part }).getByRole('button', { name: /^Add / });
                if (await add.count()) await add.first().click();
                await check(`${title}: ${part}`);
            }
        }
        await page.keyboard.press('Escape');
    }
    await go(page, '#/settings/registries');
    await page.getByRole('button', { name: 'Log in…' }).click();
    await expect(page.getByRole('dialog', { name: 'Log in to a registry' })).toBeVisible();
    await check('log in');
    expect(problems).toEqual([]);
});
