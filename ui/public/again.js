// Loads the page again where a part of it did not come: browsers give up what
// is on its way when an interface of this machine comes or goes, and each
// container that starts brings one. A script of its own, since it has to be
// there when the page's is not.
(() => {
    const KEY = 'dhow.again';
    const MOST = 5;
    let waiting = false;
    addEventListener(
        'error',
        ({ target }) => {
            const needed = target instanceof HTMLScriptElement || (target instanceof HTMLLinkElement && target.rel === 'stylesheet');
            // What fails once the page is there is the page's own matter.
            if (!needed || waiting || document.body?.childElementCount > 0) return;
            const tried = Number(sessionStorage.getItem(KEY) ?? 0);
            if (tried >= MOST) return;
            waiting = true;
            sessionStorage.setItem(KEY, String(tried + 1));
            setTimeout(() => location.reload(), 150 * (tried + 1));
        },
        true,
    );
})();
