// Lets the page do what waits: input, drawing. Timers would wait longer.

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();
// Where there are processes, an open port would keep one alive.
(channel.port1 as { unref?: () => void }).unref?.();

export function giveWay(): Promise<void> {
    return new Promise((resolve) => {
        waiting.push(resolve);
        channel.port2.postMessage(null);
    });
}
