// @vitest-environment happy-dom
// A prune names what goes, to the byte, and asks the engine for just that.
import { clear, show } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { within } from '@testing-library/dom';
import { flushSync } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import PruneImagesDialog from './PruneImagesDialog.svelte';

afterEach(clear);

const id = (letter: string) => `sha256:${letter.repeat(64)}`;

/** Three images: one in use, one unused, one without a name; the first two stand on one layer. */
function engine() {
    const host = fakeHost();
    const own = { a: 1_000_000, b: 2_000_000, c: 4_000_000 };
    const tags = { a: ['used:1'], b: ['unused:1', 'unused:2'], c: [] };
    host.on('GET', '/images/json', (['a', 'b', 'c'] as const).map((letter) => ({ Id: id(letter), RepoTags: tags[letter], RepoDigests: [], ParentId: '', Size: own[letter], Created: 1, SharedSize: 0 })));
    for (const letter of ['a', 'b', 'c'] as const) {
        host.on('GET', `/images/${encodeURIComponent(id(letter))}/json`, { Id: id(letter), Architecture: 'amd64', RootFS: { Type: 'layers', Layers: ['sha256:base', `sha256:own-${letter}`].slice(letter === 'c' ? 1 : 0) } });
        const history = [{ Id: id(letter), Size: own[letter], CreatedBy: 'COPY . /' }, { Id: '<missing>', Size: 8_000_000, CreatedBy: 'ADD base' }];
        host.on('GET', `/images/${encodeURIComponent(id(letter))}/history`, letter === 'c' ? history.slice(0, 1) : history);
    }
    host.on('GET', '/containers/json', [{ Id: 'web', Names: ['/web'], ImageID: id('a'), Image: 'used:1', State: 'running', Status: 'Up' }]);
    return host;
}

async function open(host = engine()) {
    const onclose = vi.fn();
    const { page, app } = show(PruneImagesDialog, { onclose }, host);
    app.containers.refresh();
    await vi.waitFor(() => expect(app.containers.rows).toHaveLength(1));
    const goes = (title: RegExp) => within(page.getByRole('list', { name: title })).getAllByRole('listitem').map((item) => item.textContent?.replace(/\s+/g, ' ').trim());
    const pruned = () => host.requests.filter((request) => request.method === 'POST').map((request) => decodeURIComponent(request.path));
    return { page, app, onclose, goes, pruned, button: page.getByRole<HTMLButtonElement>('button', { name: 'Clean up' }) };
}

it('takes what has no name first of all, and nothing before it is known what goes', async () => {
    const { page, goes, button, pruned, app, onclose } = await open();
    await page.findByRole('heading', { name: '1 image will go, 4 MB will be free' });
    const [only, ...more] = goes(/^1 image will go/);
    expect(more).toEqual([]);
    expect(only).toMatch(/^c{12}.*4 MB.*no name/);
    expect(page.getByRole<HTMLInputElement>('radio', { name: 'Without a name' }).checked).toBe(true);
    expect(pruned()).toEqual([]);
    button.click();
    expect(onclose).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(pruned()).toEqual(['/images/prune?filters={"dangling":["true"]}']));
    expect(app.tasks.all[0]?.subject).toBe('images without a name');
});

it('counts a layer that another image keeps with none, and spares what a container uses', async () => {
    const { page, goes, button, pruned } = await open();
    await page.findByRole('heading', { name: /will go/ });
    page.getByRole('radio', { name: 'All that no container uses' }).click();
    flushSync();
    expect(page.getByRole('heading', { name: '2 images will go, 6 MB will be free' })).toBeTruthy();
    const all = goes(/^2 images will go/);
    expect(all).toHaveLength(2);
    expect(all.find((line) => line?.startsWith('unused:1'))).toMatch(/^unused:1.*2 MB.*unused:2/);
    expect(all.filter((line) => line?.startsWith('used:1'))).toEqual([]);
    button.click();
    await vi.waitFor(() => expect(pruned()).toEqual(['/images/prune?filters={"dangling":["false"]}']));
});

it('offers nothing where nothing would go, or where that could not be worked out', async () => {
    const nothing = engine();
    nothing.on('GET', '/images/json', []);
    const first = await open(nothing);
    await first.page.findByText('Nothing would go.');
    expect(first.button.disabled).toBe(true);
    await clear();
    const broken = engine();
    broken.on('GET', '/images/json', Response.json({ message: 'the store is locked' }, { status: 500 }));
    const second = await open(broken);
    expect((await second.page.findByRole('alert')).textContent).toBe('the store is locked');
    expect(second.button.disabled).toBe(true);
});
