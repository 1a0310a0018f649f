// @vitest-environment happy-dom
// The search as a person meets it, alone and from the dialog that pulls.
import { clear, press, show, type } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { afterEach, expect, it, vi } from 'vitest';
import PullDialog from './PullDialog.svelte';
import SearchImagesDialog from './SearchImagesDialog.svelte';

afterEach(clear);

const HITS = [
    { name: 'nginx', description: 'Official build of Nginx.', star_count: 20_412, is_official: true },
    { name: 'bitnami/nginx', description: '<b>not bold</b>', star_count: 1, is_official: false },
];

function open(answer: Parameters<ReturnType<typeof fakeHost>['on']>[2], term = '') {
    const host = fakeHost();
    host.on('GET', '/images/search', answer);
    const onchoose = vi.fn();
    const onclose = vi.fn();
    const { app, page } = show(SearchImagesDialog, { term, onclose, onchoose }, host);
    return { host, app, page, onchoose, onclose, field: page.getByRole('combobox', { name: 'Name or word' }) };
}

it('asks by Enter and not while one types; arrows mark, Enter takes', async () => {
    const { host, page, field, onchoose, onclose } = open(HITS);
    for (const word of ['n', 'ng', 'nginx']) type(field, word);
    expect(host.requests).toEqual([]);
    press('Enter', field);
    press('Enter', field);
    expect(page.getByRole('status').textContent).toBe('Searching for nginx…');
    await vi.waitFor(() => expect(page.getAllByRole('option')).toHaveLength(2));
    expect(host.requests.map((request) => request.path)).toEqual(['/images/search?term=nginx&limit=50']);
    expect(page.getByRole('status').textContent).toBe('2 images for nginx, the best first');
    const [first, second] = page.getAllByRole('option');
    expect(first?.textContent).toMatch(/nginx.*Official.*20,412 stars.*Official build of Nginx\./);
    expect(second?.textContent).toContain('<b>not bold</b>');
    expect(second?.textContent).toContain('1 star');
    expect(field.getAttribute('aria-activedescendant')).toBe(first?.id);
    press('ArrowDown', field);
    expect(field.getAttribute('aria-activedescendant')).toBe(second?.id);
    expect(second?.getAttribute('aria-selected')).toBe('true');
    press('Enter', field);
    expect(onchoose).toHaveBeenCalledExactlyOnceWith('bitnami/nginx');
    expect(onclose).toHaveBeenCalledOnce();
});

it('says what the engine said, and asks again by Enter', async () => {
    const host = () => Response.json({ message: 'dial tcp: lookup index.docker.io: no such host' }, { status: 500 });
    const { page, field, host: { requests } } = open(host, 'nginx:1.27');
    await vi.waitFor(() => expect(page.getByRole('alert').textContent).toContain('no such host'));
    expect(page.getByRole('alert').textContent).toContain('The search for nginx failed');
    expect(page.getByRole<HTMLButtonElement>('button', { name: 'Choose' }).disabled).toBe(true);
    press('Enter', field);
    await vi.waitFor(() => expect(requests).toHaveLength(2));
});

it('drops an answer that comes after the next question', async () => {
    const late: ((value: object) => void)[] = [];
    const { page, field } = open(() => new Promise<object>((resolve) => void late.push(resolve)));
    for (const word of ['redis', 'nginx']) {
        type(field, word);
        press('Enter', field);
    }
    await vi.waitFor(() => expect(late).toHaveLength(2));
    late[1]?.(HITS);
    await vi.waitFor(() => expect(page.getAllByRole('option')).toHaveLength(2));
    late[0]?.([]);
    await new Promise((done) => setTimeout(done, 20));
    expect(page.getAllByRole('option')).toHaveLength(2);
});

it('says that nothing was found, and asks nothing of an engine that is not there', async () => {
    const { page, field, app, host } = open([], 'zzz');
    await vi.waitFor(() => expect(page.getByRole('status').textContent).toBe('Nothing was found for zzz.'));
    app.engine.connection = { ...app.engine.connection, phase: 'waiting' };
    press('Enter', field);
    expect(host.requests).toHaveLength(1);
});

it('fills the pull with what is chosen, which then has the focus', async () => {
    const host = fakeHost();
    host.on('GET', '/images/search', HITS);
    const { page } = show(PullDialog, { reference: 'ngin', onclose: () => undefined }, host);
    const field = () => page.getByRole<HTMLInputElement>('textbox', { name: 'Name' });
    const button = page.getByRole('button', { name: 'Search Docker Hub…' });
    button.focus();
    button.click();
    await vi.waitFor(() => expect(page.getAllByRole('option')).toHaveLength(2));
    page.getByRole('option', { name: /bitnami/ }).click();
    await vi.waitFor(() => expect(field().value).toBe('bitnami/nginx'));
    expect(page.queryByRole('dialog', { name: 'Search Docker Hub' })).toBeNull();
    await vi.waitFor(() => expect(document.activeElement).toBe(field()));
    press('Enter', field());
    await vi.waitFor(() => expect(host.requests.at(-1)?.path).toBe('/images/create?fromImage=bitnami%2Fnginx&tag=latest'));
});
