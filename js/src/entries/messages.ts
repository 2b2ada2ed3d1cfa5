import { asError, isAbort, ViewerError } from '../lib/errors';
import type { Viewer, ViewerEvents } from './viewer-api';

/** The members of `window.karospace` that an embedding page may use: all of them; `on` is a message of its own. */
export const MEMBERS: Record<Exclude<keyof Viewer, 'on'>, 'call' | 'value'> = {
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
export const EVENTS: Record<keyof ViewerEvents, true> = {
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

interface Request {
  karospace: string;
  id?: unknown;
  args?: unknown[];
}

/** The sender of a message and how to answer it. */
interface Sender {
  /** Serialized origin; `'null'` for an opaque origin */
  origin: string;
  post(message: unknown): void;
}

/**
 * Answers messages from the embedding page: `{karospace: 'setState', id, args}` with `{karospace: 'answer', id, value}`
 * or `{…, error}`. `{karospace: 'on', id, args: [event]}` subscribes to `{karospace: 'event', event, detail}` until `off`.
 * Messages that arrive before the viewer is open wait for it. `{karospace: 'ready'}` announces it.
 */
export function answerMessages(opened: Promise<Viewer>): () => void {
  /** By origin and event */
  const listening = new Map<string, () => void>();

  const listen = (viewer: Viewer, name: 'on' | 'off', event: unknown, { origin, post }: Sender) => {
    if (!has(EVENTS, event))
      throw new Error(`Unknown event “${String(event)}”. Known events: ${Object.keys(EVENTS).join(', ')}.`);
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

  const answer = async ({ karospace: name, args = [] }: Request, sender: Sender): Promise<unknown> => {
    const viewer = await opened;
    const failed = await viewer.ready.then(() => null, asError);
    if (!mayAsk(sender.origin, self.origin, viewer.embedOrigins))
      throw new Error(
        `This bundle does not answer pages of ${sender.origin}, only those of its own origin and of the origins that were allowed at export (embed_origins).`,
      );
    if (failed) throw failed;
    if (name === 'on' || name === 'off') return listen(viewer, name, args[0], sender);
    if (!has(MEMBERS, name))
      throw new Error(
        `Unknown message “${name}”. Known messages: ${[...Object.keys(MEMBERS), 'on', 'off'].join(', ')}.`,
      );
    if (MEMBERS[name] === 'value') return viewer[name];
    try {
      return await (viewer[name] as (...all: unknown[]) => unknown)(...args);
    } catch (thrown) {
      // The browser's own error texts (such as a TypeError) mean nothing to the sender of the message.
      if (thrown instanceof Error && (thrown instanceof ViewerError || thrown.name === 'Error')) throw thrown;
      if (isAbort(thrown)) throw new Error(`“${name}” was superseded by a later request.`, { cause: thrown });
      throw new Error(`“${name}” failed. Check its arguments.`, { cause: thrown });
    }
  };

  const onMessage = (event: MessageEvent<Request>) => {
    const message = event.data;
    const { source, origin } = event;
    if (source !== window.parent || typeof message?.karospace !== 'string') return;
    // An opaque origin cannot be a target; such a page is only answered when “*” or “null” is allowed.
    const post = (message: unknown) => window.parent.postMessage(message, origin === 'null' ? '*' : origin);
    answer(message, { origin, post }).then(
      (value) => post({ karospace: 'answer', id: message.id, value }),
      (thrown) =>
        post({
          karospace: 'answer',
          id: message.id,
          error: asError(thrown).message,
        }),
    );
  };
  window.addEventListener('message', onMessage);
  let stopAnnouncing = () => {};
  void opened.then((viewer) => {
    // "*": the message reveals nothing but the viewer's presence.
    stopAnnouncing = viewer.on('ready', () => window.parent.postMessage({ karospace: 'ready' }, '*'));
  });
  return () => {
    window.removeEventListener('message', onMessage);
    stopAnnouncing();
    for (const end of listening.values()) end();
  };
}

/** Returns whether to answer pages of `origin`: else any embedding page could read, for example, an intranet bundle. */
export function mayAsk(origin: string, own: string, allowed: readonly string[]): boolean {
  if (allowed.includes('*')) return true;
  return origin !== 'null' && (origin === own || allowed.includes(origin));
}
