// A container's log as tests see it.
import type { Locator, Page } from '@playwright/test';

export class LogsPage {
    readonly page: Page;
    readonly list: Locator;
    readonly lines: Locator;
    readonly search: Locator;
    readonly level: Locator;
    readonly range: Locator;

    constructor(page: Page) {
        this.page = page;
        this.list = page.getByRole('listbox', { name: 'Log lines' });
        this.lines = this.list.getByRole('option');
        this.search = page.getByRole('textbox', { name: /^Search \(/ });
        this.level = page.getByRole('combobox', { name: 'Levels' });
        this.range = page.getByRole('combobox', { name: 'Time' });
    }

    async open(name: string): Promise<void> {
        await this.page.evaluate((hash) => (location.hash = hash), `#/containers/${name}/logs`);
        await this.list.waitFor();
    }
}
