// The list of containers as tests see it: by role and by name.
import type { Locator, Page } from '@playwright/test';

export class ContainersPage {
    readonly page: Page;
    readonly grid: Locator;
    readonly search: Locator;

    constructor(page: Page) {
        this.page = page;
        this.grid = page.getByRole('treegrid', { name: 'Containers' });
        this.search = page.getByRole('textbox', { name: /^Search name/ });
    }

    row(name: string): Locator {
        return this.grid.getByRole('row').filter({ has: this.page.getByRole('link', { name, exact: true }) });
    }

    async menu(name: string, item: string): Promise<void> {
        await this.row(name).getByRole('button', { name: `More for ${name}` }).click();
        await this.page.getByRole('menuitem', { name: item }).click();
    }

    names(): Promise<string[]> {
        return this.grid.getByRole('row').getByRole('link').filter({ hasNotText: '→' }).allTextContents();
    }
}
