import { imageOn } from '../fixtures/objects.mjs';
import { withRegistry } from '../fixtures/registry.ts';
import { container, IMAGE } from '../fixtures/scene.mjs';
import { withStalledRegistry } from '../fixtures/stalled.ts';
import { expect, test } from '../fixtures/test.ts';
import { diskSize } from '../../src/lib/format/units.ts';
import { dialog, go, things } from './pages/dialogs.ts';

const write = (name: string, kilobytes: number) => `dd if=/dev/urandom of=/${name} bs=1k count=${kilobytes}`;

test('pushes, removes and pulls again through a registry, layer by layer', async ({ page, engine, problems }) => {
    await withRegistry(async ({ host }) => {
        await imageOn(engine.socket, IMAGE, 'shop/api:1', write('api', 300), ['CMD ["sleep", "9999"]']);
        const name = `${host}/shop/api:1`;
        await go(page, '#/images');
        const grid = page.getByRole('grid', { name: 'Images' });
        const row = (tag: string) => grid.getByRole('row').filter({ hasText: tag });

        await row('shop/api:1').getByRole('button', { name: /^More for/ }).click();
        await page.getByRole('menuitem', { name: 'Add a name…' }).click();
        const tag = dialog(page, 'Add a name to shop/api:1');
        await tag.getByRole('textbox').fill('No Name');
        await expect(tag.getByRole('alert')).toHaveText('That is no name of an image.');
        await tag.getByRole('textbox').fill(name);
        await tag.getByRole('textbox').press('Enter');
        await expect(row(name)).toBeVisible();

        await go(page, `#/images/${encodeURIComponent(name)}`);
        await expect(page.getByRole('list', { name: 'Steps, from the first to the last' })).toContainText('dd if=/dev/urandom of=/api');
        await page.getByRole('button', { name: /^More for/ }).click();
        await page.getByRole('menuitem', { name: 'Push…' }).click();
        const push = dialog(page, `Push ${name}`);
        await expect(push).toContainText(`Everything in it goes to ${host}`);
        await push.getByRole('button', { name: 'Push' }).click();
        await expect(dialog(page, `Pushed ${name}`).getByRole('list', { name: `Layers of ${name}` }).getByRole('listitem')).toHaveCount(2);
        await page.getByRole('button', { name: 'Close' }).click();

        await page.getByRole('button', { name: /^More for/ }).click();
        await page.getByRole('menuitem', { name: 'Remove…' }).click();
        const remove = dialog(page, /^Remove/);
        await expect(things(remove, 'This will go:')).toHaveText([name]);
        await expect(remove).toContainText('as shop/api:1');
        await expect(remove).toContainText(`Frees ${diskSize(300 * 1024)}`);
        await remove.getByRole('button', { name: 'Remove' }).click();
        await expect(page.getByRole('heading', { name: 'This image is gone' })).toBeVisible();

        await page.getByRole('link', { name: 'To the images' }).first().click();
        await page.getByRole('button', { name: 'Pull…', exact: true }).click();
        await dialog(page, 'Pull an image').getByLabel('Name').fill(name);
        await page.keyboard.press('Enter');
        const pulled = dialog(page, `Pulled ${name}`);
        await expect(pulled.getByRole('listitem').filter({ hasText: 'Pull complete' })).toHaveCount(1);
        await expect(pulled.getByRole('listitem').filter({ hasText: 'Already exists' })).toHaveCount(1);
        await pulled.getByRole('button', { name: 'Close' }).click();
        await expect(row(name)).toBeVisible();
        await engine.api('DELETE', `/images/${name}`);
        await expect(row(name)).toHaveCount(0);

        await page.getByRole('button', { name: 'Pull…', exact: true }).click();
        await dialog(page, 'Pull an image').getByLabel('Name').fill(`${host}/shop/nope:1`);
        await page.keyboard.press('Enter');
        await expect(dialog(page, /was not pulled$/).getByRole('alert')).toContainText('not found');
    });
    expect(problems).toEqual([]);
});

test('a pull that is cancelled stops on the wire; one left alone goes on behind', async ({ page, problems }) => {
    await withStalledRegistry(async ({ reference, open }) => {
        await go(page, '#/images');
        await page.getByRole('button', { name: 'Pull…', exact: true }).first().click();
        await dialog(page, 'Pull an image').getByLabel('Name').fill(reference);
        await page.keyboard.press('Enter');
        const pulling = dialog(page, `Pulling ${reference}`);
        await expect(pulling.getByRole('listitem')).toContainText('Downloading');
        await expect.poll(open).toBe(1);
        await pulling.getByRole('button', { name: 'Go on behind' }).click();
        await go(page, '#/volumes');
        await go(page, '#/activity');
        const task = page.getByRole('region', { name: 'Tasks' }).getByRole('listitem').first();
        await expect(task).toContainText(`Pull ${reference}`);
        expect(open()).toBe(1);
        await task.getByRole('button', { name: `Layers of ${reference}` }).click();
        await expect(task).toContainText('Downloading');
        await task.getByRole('button', { name: `Cancel Pull ${reference}` }).or(task.getByRole('button', { name: `Cancel ${reference}` })).click();
        await expect(task).toContainText('Cancelled');
        await expect.poll(open).toBe(0);
    });
    expect(problems).toEqual([]);
});

test('what a removal says goes is what goes, and what stays is said with the reason', async ({ page, engine, problems }) => {
    await imageOn(engine.socket, IMAGE, 'rule/base:1', write('base', 200));
    await imageOn(engine.socket, 'rule/base:1', 'rule/child:1', write('child', 100));
    await imageOn(engine.socket, IMAGE, 'rule/runs:1', write('runs', 50));
    await imageOn(engine.socket, IMAGE, 'rule/stopped:1', write('stopped', 60));
    await container(engine.socket, { name: 'runner', image: 'rule/runs:1', command: 'sleep 9999' });
    await container(engine.socket, { name: 'ended', image: 'rule/stopped:1', command: 'true' });
    await go(page, '#/images');
    const grid = page.getByRole('grid', { name: 'Images' });
    await page.getByRole('textbox', { name: /^Search name/ }).fill('rule/');
    await expect(grid.getByRole('row')).toHaveCount(5);
    const select = (name: string) => grid.getByRole('checkbox', { name: `Select ${name}` }).check({ force: true });
    for (const name of ['rule/base:1', 'rule/runs:1', 'rule/stopped:1']) await select(name);
    await grid.press('Delete');
    const remove = dialog(page, 'Remove 3 images?');
    await expect(remove).toContainText('None of them can be removed');
    const stays = remove.getByRole('list', { name: 'This stays, and why:' });
    await expect(stays).toContainText('underneath rule/child:1');
    await expect(stays).toContainText('running: runner');
    await expect(stays).toContainText('stopped: ended');
    await expect(remove.getByRole('button', { name: 'Remove' })).toBeDisabled();
    await remove.getByRole('checkbox').check();
    await expect(things(remove, 'This will go:')).toHaveText(['rule/stopped:1']);
    await page.keyboard.press('Escape');

    await select('rule/child:1');
    await grid.press('Delete');
    const both = dialog(page, 'Remove 4 images?');
    await expect(things(both, 'This will go:')).toHaveText(['rule/child:1', 'rule/base:1']);
    await expect(both).toContainText(`Frees ${diskSize(300 * 1024)}`);
    await both.getByRole('button', { name: 'Remove 2' }).click();
    await expect(grid.getByRole('row')).toHaveCount(3);
    const left = (await engine.api('GET', '/images/json')) as { RepoTags: string[] }[];
    expect(left.flatMap((image) => image.RepoTags).filter((tag) => tag.startsWith('rule/')).sort()).toEqual(['rule/runs:1', 'rule/stopped:1']);
    await engine.clear();
    expect(problems).toEqual([]);
});

test('the preview of a prune is what then goes, to the byte', async ({ page, engine, problems }) => {
    // What interrupted pulls left behind is in no list: it goes first.
    await engine.api('POST', '/images/prune');
    await imageOn(engine.socket, IMAGE, 'prune/base:1', write('base', 410));
    for (const size of [210, 220, 230]) await imageOn(engine.socket, 'prune/base:1', 'prune/app:1', write('app', size));
    await imageOn(engine.socket, IMAGE, 'prune/used:1', write('used', 90));
    await container(engine.socket, { name: 'user', image: 'prune/used:1', command: 'sleep 9999' });
    await container(engine.socket, { name: 'keeper', image: IMAGE, command: 'sleep 9999' });
    await go(page, '#/images');

    for (const [which, expected] of [
        ['Without a name', 2],
        ['All that no container uses', 3],
    ] as const) {
        await page.getByRole('button', { name: 'Clean up…' }).click();
        const prune = dialog(page, 'Clean up images');
        await prune.getByText(which).click();
        const list = prune.getByRole('list', { name: /will go, .* will be free$/ });
        await expect(list.getByRole('listitem')).toHaveCount(expected);
        const said = (await list.getAttribute('aria-label')) ?? '';
        const before = ((await engine.api('GET', '/images/json?all=1')) as { Id: string }[]).map((image) => image.Id);
        const answered = page.waitForResponse((response) => response.url().includes('/images/prune'));
        await prune.getByRole('button', { name: 'Clean up' }).click();
        const answer = (await (await answered).json()) as { ImagesDeleted: { Deleted?: string }[]; SpaceReclaimed: number };
        const gone = answer.ImagesDeleted.filter((item) => before.includes(item.Deleted ?? ''));
        expect(said).toBe(`${gone.length} images will go, ${diskSize(answer.SpaceReclaimed)} will be free`);
        await expect(page.getByRole('list', { name: 'Messages' })).toContainText(`${gone.length} images removed`);
        await page.getByRole('button', { name: 'Dismiss' }).first().click();
    }
    expect(problems).toEqual([]);
});

test('an image goes to a file and comes back from it, chosen or dropped', async ({ page, engine, problems }, { outputDir }) => {
    await imageOn(engine.socket, IMAGE, 'kept/in-file:1', 'echo made > /made');
    const { Id } = await engine.api('GET', '/images/kept/in-file:1/json');
    await go(page, '#/images');
    await page.getByRole('button', { name: 'More for kept/in-file:1' }).click();
    const saving = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'Save to a file…' }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe('kept_in-file_1.tar');
    const file = `${outputDir}/saved.tar`;
    await saved.saveAs(file);
    await engine.api('DELETE', '/images/kept/in-file:1');

    const choosing = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Load…', exact: true }).click();
    await (await choosing).setFiles(file);
    await expect(page.getByRole('list', { name: 'Messages' })).toContainText('Loaded saved.tar');
    await expect(page.getByRole('link', { name: 'kept/in-file:1' })).toBeVisible();
    expect((await engine.api('GET', '/images/kept/in-file:1/json')).Id).toBe(Id);

    // What is no archive is refused in the engine's words.
    const grid = page.getByRole('grid', { name: 'Images' });
    await grid.evaluate((element) => {
        const data = new DataTransfer();
        data.items.add(new File(['no archive'], 'letter.txt'));
        for (const kind of ['dragover', 'drop']) element.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await expect(page.getByRole('list', { name: 'Messages' })).toContainText('letter.txt was not loaded');
    expect(problems).toEqual([]);
});
