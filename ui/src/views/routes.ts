// Every address there is. The address is the state: what it names can be
// opened by a link, a bookmark or `dhow://`.

export const TABS = ['logs', 'terminal', 'stats', 'inspect', 'processes', 'mounts', 'changes'] as const;
export type ContainerTab = (typeof TABS)[number];

export const SCREENS = ['containers', 'images', 'volumes', 'networks', 'activity', 'settings', 'help'] as const;
export type Screen = (typeof SCREENS)[number];

export type Route =
    /** A screen; `rest` is what follows, for the screen to read: `#/images/sha256:…`. */
    | { readonly screen: Screen; readonly rest: readonly string[] }
    | { readonly screen: 'container'; readonly id: string; readonly tab: ContainerTab }
    /** The first steps. */
    | { readonly screen: 'welcome' }
    | { readonly screen: 'gallery' }
    | { readonly screen: 'unknown' };

export function parse(hash: string): Route {
    const parts = hash.replace(/^#?\/?/, '').split('/').filter((part) => part !== '').map(decoded);
    const [first, second, third] = parts;
    if (first === undefined) return { screen: 'containers', rest: [] };
    if (first === 'gallery' || first === 'welcome') return { screen: first };
    if (first === 'containers' && second !== undefined) {
        if (third === undefined) return { screen: 'container', id: second, tab: 'logs' };
        const tab = TABS.find((name) => name === third);
        return tab === undefined ? { screen: 'unknown' } : { screen: 'container', id: second, tab };
    }
    const screen = SCREENS.find((name) => name === first);
    return screen === undefined ? { screen: 'unknown' } : { screen, rest: parts.slice(1) };
}

export function href(route: Exclude<Route, { screen: 'unknown' }>): string {
    if (route.screen === 'container') return `#/containers/${encodeURIComponent(route.id)}/${route.tab}`;
    if (route.screen === 'gallery' || route.screen === 'welcome') return `#/${route.screen}`;
    return `#/${[route.screen, ...route.rest].map(encodeURIComponent).join('/')}`;
}

export const screenHref = (screen: Screen, ...rest: readonly string[]): string => href({ screen, rest });

function decoded(part: string): string {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}
