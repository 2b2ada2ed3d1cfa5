import { asError, isAbort, ViewerError } from '../lib/errors';
import type { Viewer, ViewerEvents } from './viewer';

/** What a page around may ask by its name in `window.karospace`: all of it, `on` being a message of its own. */
const ASKED: Record<Exclude<keyof Viewer, 'on'>, 'call' | 'value'> = {
  ready: 'value',
  getState: 'call',
  setState: 'call',
  getView: 'call',
  setView: 'call',
  project: 'call',
  valueAt: 'call',
  selection: 'value',
  select: 'call',
  regions: 'value',
  setRegions: 'call',
  snapshot: 'call',
  picture: 'call',
  table: 'call',
  cells: 'value',
  setSystemDark: 'call',
  setWaiting: 'call',
  liveObjects: 'value',
  embedOrigins: 'value',
  dispose: 'call',
};
const EVENTS: Record<keyof ViewerEvents, true> = {
  ready: true,
  state: true,
  hover: true,
  selection: true,
  regions: true,
  drawn: true,
  error: true,
};
const has = <T extends object>(known: T, name: unknown): name is keyof T =>
  typeof name === 'string' && Object.hasOwn(known, name);

interface Asked {
  karospace: string;
  id?: unknown;
  args?: unknown[];
}

/** Who asks, and where answers go. */
interface Asker {
  /** As browsers spell it; `null` for a page without one of its own */
  origin: string;
  post(message: unknown): void;
}

/**
 * Answers the page around: `{karospace: 'setState', id, args}` is answered by `{karospace: 'answer', id, value}` or
 * `{…, error}`; `{karospace: 'on', id, args: [event]}` by `{karospace: 'event', event, detail}` whenever it happens,
 * until `off`. What comes before there is a viewer waits for it. `{karospace: 'ready'}` tells that it is there.
 */
export function answerMessages(opened: Promise<Viewer>): () => void {
  /** By origin and event */
  const listening = new Map<string, () => void>();

  const listen = (viewer: Viewer, name: 'on' | 'off', event: unknown, { origin, post }: Asker) => {
    if (!has(EVENTS, event))
      throw new Error(`There is no event “${String(event)}”. Events: ${Object.keys(EVENTS).join(', ')}.`);
    const key = `${origin} ${event}`;
    if (name === 'off') {
      listening.get(key)?.();
      listening.delete(key);
    } else if (!listening.has(key))
      listening.set(
        key,
        viewer.on(event, (detail) => {
          const plain = detail instanceof Error ? detail.message : detail;
          post({ karospace: 'event', event, detail: plain });
        }),
      );
    return null;
  };

  const answer = async ({ karospace: name, args = [] }: Asked, asker: Asker): Promise<unknown> => {
    const viewer = await opened;
    const failed = await viewer.ready.then(() => null, asError);
    if (!mayAsk(asker.origin, self.origin, viewer.embedOrigins))
      throw new Error(
        `This bundle does not answer pages of ${asker.origin}: only those of its own origin, and those that were named when it was exported.`,
      );
    if (failed) throw failed;
    if (name === 'on' || name === 'off') return listen(viewer, name, args[0], asker);
    if (!has(ASKED, name))
      throw new Error(
        `The viewer knows no “${name}”. It knows: ${[...Object.keys(ASKED), 'on', 'off'].join(', ')}.`,
      );
    if (ASKED[name] === 'value') return viewer[name];
    try {
      return await (viewer[name] as (...all: unknown[]) => unknown)(...args);
    } catch (thrown) {
      // The browser's own error texts (such as a TypeError) mean nothing to the sender of the message.
      if (thrown instanceof Error && (thrown instanceof ViewerError || thrown.name === 'Error')) throw thrown;
      if (isAbort(thrown)) throw new Error(`“${name}” gave way to a later request.`, { cause: thrown });
      throw new Error(`“${name}” failed. Check its arguments.`, { cause: thrown });
    }
  };

  const onMessage = (event: MessageEvent<Asked>) => {
    const asked = event.data;
    const { source, origin } = event;
    if (source !== window.parent || typeof asked?.karospace !== 'string') return;
    // A page without an origin of its own cannot be named; it was let in by “*” only.
    const post = (message: unknown) => window.parent.postMessage(message, origin === 'null' ? '*' : origin);
    answer(asked, { origin, post }).then(
      (value) => post({ karospace: 'answer', id: asked.id, value }),
      (thrown) =>
        post({
          karospace: 'answer',
          id: asked.id,
          error: asError(thrown).message,
        }),
    );
  };
  window.addEventListener('message', onMessage);
  let quiet = () => {};
  void opened.then((viewer) => {
    // Says nothing but that it is there.
    quiet = viewer.on('ready', () => window.parent.postMessage({ karospace: 'ready' }, '*'));
  });
  return () => {
    window.removeEventListener('message', onMessage);
    quiet();
    for (const end of listening.values()) end();
  };
}

/** Whoever frames the page could else read through it what their own requests may not: what lies inside a firewall. */
export function mayAsk(origin: string, own: string, allowed: readonly string[]): boolean {
  if (allowed.includes('*')) return true;
  return origin !== 'null' && (origin === own || allowed.includes(origin));
}
