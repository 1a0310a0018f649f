// Browsers give up requests that are on their way when an interface of this
// machine comes or goes, and each container that starts or stops brings one.
// Such a failure says nothing about who was asked: it is asked again.

const TRIES = 3;
const PAUSE = 120;

/** Does something that may be done twice; what fails again and again is thrown. */
export async function patiently<T>(work: () => Promise<T>, wait: (milliseconds: number) => Promise<void> = pause): Promise<T> {
    for (let tried = 1; ; tried += 1) {
        try {
            return await work();
        } catch (error) {
            if (tried >= TRIES || !(error instanceof TypeError || /preload|import/i.test(String(error)))) throw error;
            await wait(PAUSE * tried);
        }
    }
}

const pause = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
