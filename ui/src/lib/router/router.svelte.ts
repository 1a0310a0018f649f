// The address bar as a rune.
import { parse, type Route } from '../../views/routes';

export class Router {
    route = $state.raw<Route>(parse(location.hash));

    constructor() {
        addEventListener('hashchange', () => (this.route = parse(location.hash)));
    }

    go(hash: string): void {
        location.hash = hash;
    }

    /** Without a new entry in the history: for tabs of one page. */
    replace(hash: string): void {
        history.replaceState(null, '', hash);
        this.route = parse(hash);
    }
}
