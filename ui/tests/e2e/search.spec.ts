// Searching for images, through a real engine: at an index that nobody can
// reach, as the Hub is to a machine without a network, and at one that answers.
import type { Page } from '@playwright/test';
import { findings } from '../fixtures/axe.ts';
import { withIndex } from '../fixtures/index.ts';
import { asked, expect, test } from '../fixtures/test.ts';
import { dialog, go } from './pages/dialogs.ts';

const searches = (paths: readonly string[]) => paths.filter((path) => path.includes('/images/search'));

async function fromPalette(page: Page) {
    // The palette offers what can be done when it is opened.
    await expect(page.getByRole('status').filter({ hasText: 'Engine running' })).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search or do anything' }).fill('search docker hub');
    await page.keyboard.press('Enter');
    const found = dialog(page, 'Search Docker Hub');
    await expect(found.getByRole('combobox')).toBeFocused();
    return found;
}

/** Nothing listens there, on any machine. */
const NOWHERE = '127.0.0.1:9';

test('says in the engine’s words why a search failed, and asks by Enter alone', async ({ page, problems }) => {
    const paths = asked(page);
    const found = await fromPalette(page);
    const axe = await findings(page, 'search');
    await page.keyboard.type(`${NOWHERE}/nginx`);
    await page.waitForTimeout(400);
    expect(searches(paths)).toEqual([]);
    const answer = page.waitForResponse((response) => response.url().includes('/images/search'));
    await page.keyboard.press('Enter');
    const { message } = (await (await answer).json()) as { message: string };
    expect((await answer).status()).toBe(500);
    expect(message).toContain(NOWHERE);
    await expect(found.getByRole('alert')).toContainText(`The search for ${NOWHERE}/nginx failed`);
    await expect(found.getByRole('alert')).toContainText(message);
    await expect(found.getByRole('combobox')).toBeFocused();
    axe.push(...(await findings(page, 'search that failed')));
    expect(axe).toEqual([]);
    await page.keyboard.press('Enter');
    await expect.poll(() => searches(paths).length).toBe(2);
    await page.keyboard.press('Escape');
    await expect(found).toHaveCount(0);
    expect(problems).toEqual([]);
});

test('fills a pull with what another index has, by keyboard', async ({ page }) => {
    const results = [
        { name: 'shop/api', description: 'The shop <b>itself</b>', star_count: 12_345, is_official: true },
        { name: 'blog/api', description: '', star_count: 1, is_official: false },
    ];
    await withIndex(results, async (index) => {
        await go(page, '#/images');
        await page.getByRole('button', { name: 'Pull…', exact: true }).first().click();
        const pull = dialog(page, 'Pull an image');
        await pull.getByLabel('Name').fill(`${index.host}/api:2`);
        await pull.getByLabel('Platform').fill('linux/arm64');
        await pull.getByRole('button', { name: 'Search Docker Hub…' }).press('Enter');
        const found = dialog(page, 'Search Docker Hub');
        await expect(found.getByRole('option')).toHaveCount(2);
        expect(index.asked).toEqual(['/v1/search?q=api&n=50']);
        await expect(found.getByRole('option').first()).toContainText(`${index.host}/shop/api`);
        await expect(found.getByRole('option').first()).toContainText('The shop <b>itself</b>');
        await expect(found.getByRole('option').first()).toContainText('12,345');
        expect(await findings(page, 'search that found')).toEqual([]);
        await page.keyboard.press('ArrowDown');
        await expect(found.getByRole('option').nth(1)).toHaveAttribute('aria-selected', 'true');
        await page.keyboard.press('Enter');
        await expect(found).toHaveCount(0);
        await expect(pull.getByLabel('Name')).toBeFocused();
        await expect(pull.getByLabel('Name')).toHaveValue(`${index.host}/blog/api`);
        await expect(pull.getByLabel('Platform')).toHaveValue('linux/arm64');
    });
});
