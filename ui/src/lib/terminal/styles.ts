// xterm.js makes <style> elements when it opens, and the page's policy forbids
// them. While it opens, an element that puts its text into a constructed style
// sheet takes their place: those the policy allows, since only scripts of the
// page's own can make them. (xterm's documentOverride does not reach all.)

//
// It also paints colours beyond its palette with a style attribute in markup,
// which the policy drops as well. On spans, the only elements it does that to,
// setting the attribute becomes what the policy allows: the same declarations
// through the object model.

/** Lets spans take a style attribute from scripts. For as long as the page lives. */
export function allowStyledSpans(): void {
    HTMLSpanElement.prototype.setAttribute = function setAttribute(this: HTMLSpanElement, name: string, value: string): void {
        if (name.toLowerCase() === 'style') this.style.cssText = value;
        else Element.prototype.setAttribute.call(this, name, value);
    };
}

/** Runs what makes style elements, at once, with ones that the policy allows. */
export function withAllowedStyles(run: () => void): void {
    document.createElement = ((tag: string, options?: ElementCreationOptions) =>
        tag.toLowerCase() === 'style' ? adopting() : Document.prototype.createElement.call(document, tag, options)) as Document['createElement'];
    try {
        run();
    } finally {
        // What the prototype has comes to light again.
        delete (document as Partial<Document>).createElement;
    }
}

function adopting(): HTMLElement {
    const element = Document.prototype.createElement.call(document, 'data');
    const sheet = new CSSStyleSheet();
    element.hidden = true;
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    Object.defineProperty(element, 'textContent', {
        get: () => '',
        set: (text: string) => sheet.replaceSync(text),
    });
    const remove = element.remove.bind(element);
    element.remove = () => {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
        remove();
    };
    return element;
}
