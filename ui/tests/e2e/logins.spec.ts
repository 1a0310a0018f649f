// Logins at a registry that asks for them, kept by `dhow dashboard`.
import { imageOn } from '../fixtures/objects.mjs';
import { LOGIN, withRegistry } from '../fixtures/registry.ts';
import { IMAGE } from '../fixtures/scene.mjs';
import { expect, test } from '../fixtures/test.ts';
import { dialog, go } from './pages/dialogs.ts';

test('a refused pull leads to a login and goes on; logging out says what goes', async ({ page, engine, problems }) => {
    await withRegistry(
        async ({ host }) => {
            const image = `${host}/private/app:1`;
            await imageOn(engine.socket, IMAGE, image, 'echo made > /made');

            // A push is refused first, and goes on with the login.
            await go(page, `#/images/${encodeURIComponent(image)}`);
            await page.getByRole('button', { name: `More for ${image}` }).click();
            await page.getByRole('menuitem', { name: 'Push…' }).click();
            await dialog(page, `Push ${image}`).getByRole('button', { name: 'Push', exact: true }).click();
            await page.getByRole('button', { name: `Log in to ${host}…` }).click();
            const login = dialog(page, `Log in to ${host}`);
            await login.getByLabel('User').fill(LOGIN.user);
            await login.getByLabel('Password or token').fill('wrong');
            await page.keyboard.press('Enter');
            await expect(login.getByRole('alert')).toContainText('Not logged in');
            await expect(login.getByLabel('User')).toHaveValue(LOGIN.user);
            await login.getByLabel('Password or token').fill(LOGIN.secret);
            await page.keyboard.press('Enter');
            await expect(login).toHaveCount(0);
            await expect(dialog(page, `Pushed ${image}`)).toBeVisible();
            await page.keyboard.press('Escape');

            await go(page, '#/settings/registries');
            const row = page.getByRole('list', { name: 'Logins' }).getByRole('listitem').filter({ hasText: host });
            await expect(row).toContainText(LOGIN.user);
            expect(await page.evaluate(() => JSON.stringify(localStorage) + document.documentElement.outerHTML)).not.toContain(LOGIN.secret);
            await row.getByRole('button', { name: `Log out of ${host}` }).click();
            const out = dialog(page, `Log out of ${host}?`);
            await expect(out).toContainText(`The login of ${LOGIN.user} at ${host} is deleted`);
            await out.getByRole('button', { name: 'Log out' }).click();
            await expect(page.getByText('Nobody is logged in anywhere.')).toBeVisible();

            // Without one a pull is refused, wherever it was begun.
            await engine.api('DELETE', `/images/${image}`);
            await go(page, '#/images');
            await page.getByRole('button', { name: 'Pull…', exact: true }).click();
            await dialog(page, 'Pull an image').getByLabel('Name').fill(image);
            await page.keyboard.press('Enter');
            await expect(page.getByRole('button', { name: `Log in to ${host}…` })).toBeVisible();
            await page.keyboard.press('Escape');
            await go(page, '#/activity');
            const task = page.getByRole('listitem').filter({ hasText: `Pull ${image}` });
            await task.getByRole('button', { name: `Log in to ${host}…` }).click();
            await login.getByLabel('User').fill(LOGIN.user);
            await login.getByLabel('Password or token').fill(LOGIN.secret);
            await page.keyboard.press('Enter');
            await expect(task.first()).toContainText('Done');
        },
        { asks: true },
    );
    expect(problems).toEqual([]);
});

test('a registry that is not there is told in the dialog', async ({ page }) => {
    await go(page, '#/settings/registries');
    await page.getByRole('button', { name: 'Log in…' }).click();
    const login = dialog(page, 'Log in to a registry');
    await login.getByLabel('Registry').fill('https://127.0.0.1:1/team');
    await expect(login.getByRole('alert')).toContainText('without a path');
    await login.getByLabel('Registry').fill('127.0.0.1:1');
    await login.getByLabel('User').fill('me');
    await login.getByLabel('Password or token').fill('x');
    await login.getByRole('button', { name: 'Log in', exact: true }).click();
    await expect(login.getByRole('alert')).toContainText('Not logged in');
});
