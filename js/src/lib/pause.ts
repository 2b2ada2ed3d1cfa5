/** Yields to the browser so that the page stays responsive. A timer would wait for seconds while the page is hidden. */
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

/** Longest time without a pause that does not make the page lag, in milliseconds. */
const TURN_MS = 24;

/** Returns a function to await repeatedly in long tasks; it pauses if `TURN_MS` have passed since the last pause. */
export function turns(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < TURN_MS) return;
    await pause();
    since = performance.now();
  };
}
