/** Lets the page draw and answer its reader in between. A timer would wait for seconds where the page is hidden. */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Longer than this in one turn and the page would feel it. */
const TURN_MS = 24;

/** To be awaited within long work: it pauses where its turn has been long enough. */
export function turns(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < TURN_MS) return;
    await pause();
    since = performance.now();
  };
}
