import { expect, it } from 'vitest';
import { href, parse, screenHref, type Route } from './routes';

it.each<Exclude<Route, { screen: 'unknown' }>>([
    { screen: 'containers', rest: [] },
    { screen: 'container', id: 'a/b c', tab: 'stats' },
    { screen: 'images', rest: ['sha256:0123', 'layers'] },
    { screen: 'gallery' },
    { screen: 'welcome' },
])('reads what it wrote: %o', (route) => {
    expect(parse(href(route))).toEqual(route);
});

it('opens a container at its log, and the list where nothing is said', () => {
    expect(parse('#/containers/web')).toEqual({ screen: 'container', id: 'web', tab: 'logs' });
    expect(parse('')).toEqual({ screen: 'containers', rest: [] });
    expect(parse(screenHref('volumes'))).toEqual({ screen: 'volumes', rest: [] });
});

it('knows what it does not know, and survives what is no address', () => {
    expect(parse('#/nope')).toEqual({ screen: 'unknown' });
    expect(parse('#/containers/web/nope')).toEqual({ screen: 'unknown' });
    expect(parse('#/images/%zz')).toEqual({ screen: 'images', rest: ['%zz'] });
});
