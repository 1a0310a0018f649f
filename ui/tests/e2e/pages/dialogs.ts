// Dialogs as tests see them: by their names, and what they say goes.
import type { Locator, Page } from '@playwright/test';

export const dialog = (page: Page, name: string | RegExp): Locator => page.getByRole('dialog', { name });

/** Names in a list of what goes or stays. */
export const things = (within: Locator, list: string | RegExp): Locator => within.getByRole('list', { name: list }).getByRole('listitem').locator('.name');

export async function go(page: Page, place: string): Promise<void> {
    await page.evaluate((hash) => (location.hash = hash), place);
}
