import { fromBase64 } from '../lib/bytes';
import { isInside } from '../lib/path';
import type { Custom, Model } from '../widget/model';
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
  const listeners = new Set<(message: Custom, buffers: Uint8Array[]) => void>();
  const traits: Record<string, unknown> = { _fallback: { title }, _group: '', _cells: 0, _slow: true };
  const reading = new Set<string>();
  const say = (message: Custom, buffers: Uint8Array[] = []) => {
    // Asynchronous like a comm: never deliver before the sender has returned.
    setTimeout(() => {
      for (const listener of [...listeners]) listener(message, buffers);
    });
  };
  const answer = async ({ view, id, path }: Custom) => {
    const name = String(path);
    const key = `${String(view)} ${String(id)}`;
    // The frame repeats slow requests because a kernel may lose them; no request is lost here.
    if (reading.has(key)) return;
    reading.add(key);
    try {
      if (!isInside(name)) throw new Error(`${name} is outside the bundle.`);
      const bytes = await (name === PAGE ? page() : read(inFolder(folder, name)));
      const count = Math.max(1, Math.ceil(bytes.length / CHUNK));
      for (let index = 0; index < count; index++) {
        const part = bytes.slice(index * CHUNK, (index + 1) * CHUNK);
        say({ type: 'part', view, id, index, count, total: bytes.length }, [part]);
      }
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      say({ type: 'refused', view, id, tag: 'not-found', message: `${name} cannot be read: ${reason}` });
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
    send(content, _callbacks, buffers = []) {
      const message = content as Custom;
      if (message.type === 'hello')
        say({ ...message, type: 'hi', buffers: buffers.length }, [new Uint8Array(1)]);
      else if (message.type === 'open') say({ ...message, type: 'opened', state: {}, live: 0, fresh: true });
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
