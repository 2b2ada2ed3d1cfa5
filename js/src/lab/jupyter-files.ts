import type { Plain } from '../contract/plain';
import type { Read } from '../contract/to-kernel';
import type { ToPage } from '../contract/to-page';
import { fromBase64 } from '../lib/bytes';
import { isInside } from '../lib/path';
import type { Listener, Model } from '../widget/model';
import { inFolder } from './exports';

/** Reads a file through the Jupyter server, given its path there. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

interface Contents {
  get(
    path: string,
    options: { type: 'file'; format: 'base64'; content: true },
  ): Promise<{ content: unknown }>;
}

export function readerOf(contents: Contents): ReadFile {
  return async (path) => {
    const { content } = await contents.get(path, { type: 'file', format: 'base64', content: true });
    return fromBase64(String(content).replace(/\s+/g, ''));
  };
}

const CHUNK = 2 ** 21;
const PAGE = 'index.html';

/**
 * Wraps a bundle on disk as the model of a view, so that the same frame can show it. Answers requests from files of the
 * Jupyter server and ignores messages that only concern a kernel.
 */
export function viewOnDisk(
  folder: string,
  title: string,
  read: ReadFile,
  page: () => Promise<Uint8Array>,
): Model {
  const listeners = new Set<Listener>();
  const traits: Record<string, unknown> = { _fallback: { title }, _group: '', _cells: 0, _slow: true };
  const reading = new Set<string>();
  const say = (message: ToPage, buffers: Uint8Array[] = []) => {
    // Asynchronous like a comm: never deliver before the sender has returned.
    setTimeout(() => {
      for (const listener of [...listeners]) listener(message, buffers);
    });
  };
  const answer = async ({ view = null, id, path }: Plain<Read>) => {
    const key = `${view} ${id}`;
    // The frame repeats slow requests because a kernel may lose them; no request is lost here.
    if (reading.has(key)) return;
    reading.add(key);
    try {
      if (!isInside(path)) throw new Error(`${path} is outside the bundle.`);
      const bytes = await (path === PAGE ? page() : read(inFolder(folder, path)));
      const count = Math.max(1, Math.ceil(bytes.length / CHUNK));
      for (let index = 0; index < count; index++) {
        const part = bytes.slice(index * CHUNK, (index + 1) * CHUNK);
        say({ type: 'part', view, id, index, count, total: bytes.length }, [part]);
      }
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      say({ type: 'refused', view, id, tag: 'not-found', message: `${path} cannot be read: ${reason}` });
    } finally {
      reading.delete(key);
    }
  };
  return {
    get: (name) => traits[name],
    set: (name, value) => {
      traits[name] = value;
    },
    save_changes() {},
    send(message, _callbacks, buffers = []) {
      if (message.type === 'hello')
        say({ type: 'hi', id: message.id, buffers: buffers.length }, [new Uint8Array(1)]);
      else if (message.type === 'open')
        say({ type: 'opened', view: message.view ?? null, id: message.id, state: null, live: 0 });
      else if (message.type === 'read') void answer(message);
    },
    on: (event, listener) => {
      if (event === 'msg:custom') listeners.add(listener as never);
    },
    off: (event, listener) => {
      if (event === 'msg:custom') listeners.delete(listener as never);
    },
  };
}
