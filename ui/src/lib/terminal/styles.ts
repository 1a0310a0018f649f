// xterm.js makes <style> elements, which the page's policy forbids. It takes
// the document that it shall use as an option: this one makes elements that
// put their text into constructed style sheets, which the policy allows since
// only scripts of our own can make them.

export function documentWithoutStyleElements(real: Document): Document {
    return new Proxy(real, {
        get(target, name) {
            if (name === 'createElement') {
                return (tag: string, options?: ElementCreationOptions) =>
                    tag.toLowerCase() === 'style' ? adopting(target) : target.createElement(tag, options);
            }
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? value.bind(target) : value;
        },
    });
}

function adopting(real: Document): HTMLElement {
    const element = real.createElement('data');
    const sheet = new CSSStyleSheet();
    element.hidden = true;
    real.adoptedStyleSheets = [...real.adoptedStyleSheets, sheet];
    Object.defineProperty(element, 'textContent', {
        get: () => '',
        set: (text: string) => sheet.replaceSync(text),
    });
    const remove = element.remove.bind(element);
    element.remove = () => {
        real.adoptedStyleSheets = real.adoptedStyleSheets.filter((other) => other !== sheet);
        remove();
    };
    return element;
}
