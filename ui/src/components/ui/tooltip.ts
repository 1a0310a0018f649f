// A hint over what it explains: for the mouse after a moment, for the keyboard
// where focus is. It can be pointed at, Esc closes it, and it is never the only
// place of what one has to know.
//
//   <button {@attach tooltip('Copy')}>          says it always
//   <span {@attach tooltip(name, { cut: true })}> says it where it is cut off

export interface TooltipOptions {
    /** Only where the words do not fit. */
    readonly cut?: boolean;
    /** Only while this holds. */
    readonly when?: () => boolean;
    /** It says no more than the name: not read out twice. */
    readonly named?: boolean;
}

const SOON = 450;
const LINGER = 120;
const GAP = 6;
const ID = 'dhow-tooltip';

let bubble: HTMLElement | null = null;
let owner: Element | null = null;
let timer: ReturnType<typeof setTimeout> | null = null;
/** What the hint is over loses it, unless it gets it again in the same moment. */
let leaving: Element | null = null;
/** What is to be said now: words change while one waits for them. */
const latest = new WeakMap<Element, string>();

function later(milliseconds: number, run: () => void): void {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
        timer = null;
        run();
    }, milliseconds);
}

function cancel(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
}

function made(): HTMLElement {
    if (bubble?.isConnected) return bubble;
    bubble = document.createElement('div');
    bubble.id = ID;
    bubble.className = 'tooltip';
    bubble.setAttribute('role', 'tooltip');
    bubble.popover = 'manual';
    bubble.addEventListener('pointerenter', cancel);
    bubble.addEventListener('pointerleave', () => later(LINGER, hide));
    document.body.append(bubble);
    return bubble;
}

function show(over: Element, words: string, { named = false }: TooltipOptions): void {
    hide();
    const shown = made();
    shown.textContent = words;
    owner = over;
    if (!named) over.setAttribute('aria-describedby', ID);
    shown.showPopover();
    const [there, own] = [over.getBoundingClientRect(), shown.getBoundingClientRect()];
    const below = there.bottom + GAP + own.height < innerHeight - 8;
    shown.style.left = `${Math.max(8, Math.min(there.left + there.width / 2 - own.width / 2, innerWidth - own.width - 8))}px`;
    shown.style.top = `${below ? there.bottom + GAP : there.top - GAP - own.height}px`;
    addEventListener('keydown', escape, true);
    addEventListener('scroll', hide, true);
}

function hide(): void {
    cancel();
    if (owner === null) return;
    if (owner.getAttribute('aria-describedby') === ID) owner.removeAttribute('aria-describedby');
    owner = null;
    if (bubble?.isConnected) bubble.hidePopover();
    removeEventListener('keydown', escape, true);
    removeEventListener('scroll', hide, true);
}

/** Closes the hint and nothing else: a dialog under it stays. */
function escape(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopImmediatePropagation();
    hide();
}

export function tooltip(words: string, options: TooltipOptions = {}): (element: HTMLElement) => () => void {
    return (element) => {
        if (words === '') return () => undefined;
        const fits = () => options.cut !== true || element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight + 2;
        const wanted = () => fits() && options.when?.() !== false;
        const open = () => {
            if (element.isConnected && wanted()) show(element, latest.get(element) ?? words, options);
        };
        latest.set(element, words);
        // Drawn anew under the mouse, which does not come in a second time.
        if (leaving === element) {
            leaving = null;
            if (wanted()) made().textContent = words;
            else hide();
        }
        const handlers: Record<string, (event: Event) => void> = {
            pointerenter: (event) => {
                if ((event as PointerEvent).pointerType !== 'touch') later(SOON, open);
            },
            pointerleave: () => (owner === element ? later(LINGER, hide) : cancel()),
            // What is pressed has been understood.
            pointerdown: hide,
            focusin: () => {
                if (element.matches(':focus-visible')) later(SOON, open);
            },
            focusout: hide,
        };
        for (const [name, handler] of Object.entries(handlers)) element.addEventListener(name, handler);
        return () => {
            for (const [name, handler] of Object.entries(handlers)) element.removeEventListener(name, handler);
            if (owner !== element) return;
            leaving = element;
            queueMicrotask(() => {
                if (leaving !== element) return;
                leaving = null;
                hide();
            });
        };
    };
}
