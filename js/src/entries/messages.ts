import type { Viewer, ViewerEvents } from './viewer';

/** What a page around may ask of the viewer by its name in `window.karospace`. */
const CALLS = [
  'getState',
  'setState',
  'getView',
  'setView',
  'valueAt',
  'project',
  'select',
  'setRegions',
  'snapshot',
] as const;
const VALUES = ['cells', 'selection', 'regions'] as const;
const EVENTS: readonly (keyof ViewerEvents)[] = ['state', 'hover', 'selection', 'regions', 'drawn', 'error'];

interface Asked {
  karospace: string;
  id?: unknown;
  args?: unknown[];
}

/**
 * Answers the page around: `{karospace: 'setState', id, args}` is answered by `{karospace: 'answer', id, value}` or
 * `{…, error}`; `{karospace: 'on', id, args: [event]}` by `{karospace: 'event', event, detail}` whenever it happens.
 */
export function answerMessages(viewer: Viewer): () => void {
  const listening = new Map<string, () => void>();
  const answer = async (asked: Asked): Promise<unknown> => {
    const { karospace: name, args = [] } = asked;
    await viewer.ready;
    if (name === 'on') {
      const event = EVENTS.find((one) => one === args[0]);
      if (!event) throw new Error(`There is no event “${String(args[0])}”. Events: ${EVENTS.join(', ')}.`);
      if (!listening.has(event))
        listening.set(
          event,
          viewer.on(event, (detail) => {
            const plain = detail instanceof Error ? detail.message : detail;
            post({ karospace: 'event', event, detail: plain });
          }),
        );
      return null;
    }
    const value = VALUES.find((one) => one === name);
    if (value) return viewer[value];
    const call = CALLS.find((one) => one === name);
    if (!call)
      throw new Error(`The viewer knows no “${name}”. It knows: ${[...CALLS, ...VALUES, 'on'].join(', ')}.`);
    return (viewer[call] as (...all: unknown[]) => unknown)(...args);
  };
  // Whoever embeds the page may be anywhere; it is told no more than it could see and export by hand.
  const post = (message: unknown) => window.parent.postMessage(message, '*');
  const onMessage = (event: MessageEvent<Asked>) => {
    const asked = event.data;
    if (event.source !== window.parent || typeof asked?.karospace !== 'string') return;
    answer(asked).then(
      (value) => post({ karospace: 'answer', id: asked.id, value }),
      (thrown) =>
        post({
          karospace: 'answer',
          id: asked.id,
          error: thrown instanceof Error ? thrown.message : String(thrown),
        }),
    );
  };
  window.addEventListener('message', onMessage);
  return () => {
    window.removeEventListener('message', onMessage);
    for (const end of listening.values()) end();
  };
}
