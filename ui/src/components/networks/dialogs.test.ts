// @vitest-environment happy-dom
import { clear, press, show, type } from '$components/testing/show';
import { fakeHost } from '$lib/host/fake';
import { flushSync } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import CreateNetworkDialog from './CreateNetworkDialog.svelte';

afterEach(clear);

async function open() {
    const host = fakeHost();
    host.on('GET', '/networks', [{ Name: 'shop', Id: 'n1', Driver: 'bridge', Scope: 'local', IPAM: { Config: [{ Subnet: '172.20.0.0/16', Gateway: '172.20.0.1' }] } }]);
    host.on('POST', '/networks/create', Response.json({ Id: 'n2' }, { status: 201 }));
    const onclose = vi.fn();
    const { page, app } = show(CreateNetworkDialog, { onclose }, host);
    app.networks.refresh();
    await vi.waitFor(() => expect(app.networks.rows).toHaveLength(1));
    flushSync();
    const field = (label: string) => page.getByRole<HTMLInputElement>('textbox', { name: label });
    const asked = () => host.requests.filter((request) => request.method === 'POST').map((request) => JSON.parse(String(request.body)) as unknown);
    return { host, page, app, onclose, asked, field, button: page.getByRole<HTMLButtonElement>('button', { name: 'Create' }) };
}

it('needs a name and nothing more', async () => {
    const { field, button, asked, onclose, app } = await open();
    expect(document.activeElement).toBe(field('Name'));
    expect(button.disabled).toBe(true);
    type(field('Name'), 'blog');
    press('Enter', field('Name'));
    await vi.waitFor(() => expect(onclose).toHaveBeenCalledOnce());
    expect(asked()).toEqual([{ Name: 'blog', Driver: 'bridge', Internal: false, Labels: {} }]);
    expect(app.toasts.all.map((toast) => toast.title)).toEqual(['Network blog created']);
});

it('takes a subnet with its gateway, cut off from outside', async () => {
    const { page, field, button, asked } = await open();
    type(field('Name'), 'blog');
    type(field('Subnet'), ' 172.30.0.0/16 ');
    type(field('Gateway'), '172.30.0.9');
    page.getByRole('checkbox', { name: 'Internal: reaches nothing outside' }).click();
    flushSync();
    button.click();
    await vi.waitFor(() => expect(asked()).toEqual([{ Name: 'blog', Driver: 'bridge', Internal: true, Labels: {}, IPAM: { Config: [{ Subnet: '172.30.0.0/16', Gateway: '172.30.0.9' }] } }]));
});

it.each([
    ['Name', 'shop', 'There is a network of this name already.'],
    ['Name', '-x', 'Letters, digits'],
    ['Subnet', '172.30.0.0', 'That is no subnet'],
    ['Subnet', '172.20.5.0/24', 'It overlaps with that of shop.'],
    ['Gateway', '10.0.0.1', 'That is no address of this subnet.'],
])('says at %s what is wrong with %s, and does not ask', async (label, wrong, why) => {
    const { page, field, button, asked } = await open();
    type(field('Name'), 'blog');
    type(field('Subnet'), '172.30.0.0/16');
    expect(button.disabled).toBe(false);
    type(field(label), wrong);
    expect(page.getByRole('alert').textContent).toContain(why);
    expect(document.getElementById(field(label).getAttribute('aria-describedby') ?? '')).toBe(page.getByRole('alert'));
    expect(button.disabled).toBe(true);
    press('Enter', field(label));
    expect(asked()).toEqual([]);
});

it('stays, with the engine’s own sentence, where that refuses', async () => {
    const { host, page, field, button, onclose } = await open();
    host.on('POST', '/networks/create', Response.json({ message: 'Pool overlaps with other one on this address space' }, { status: 403 }));
    type(field('Name'), 'blog');
    button.click();
    expect((await page.findByRole('alert')).textContent).toBe('Pool overlaps with other one on this address space');
    expect(onclose).not.toHaveBeenCalled();
    expect(field('Name').value).toBe('blog');
});
