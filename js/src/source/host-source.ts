import type { ToHost, ToViewer } from '../contract/host';
import { joined } from '../lib/bytes';
import { HostError, NotFoundError } from '../lib/errors';
import {
  type BundleSource,
  type Column,
  checkLength,
  type LiveChange,
  type LiveObject,
  type ReadContext,
} from './bundle-source';

interface Pending {
  parts: (Uint8Array | undefined)[];
  bytes: number;
  resolve: (bytes: Uint8Array) => void;
  reject: (reason: unknown) => void;
  ctx: ReadContext;
  path: string;
}

/** Reads through a port from the embedding page, which repeats lost requests. */
export function hostSource(port: MessagePort, hasLive = false): BundleSource {
  const pending = new Map<number, Pending>();
  let last = 0;
  const post = (message: ToHost) => port.postMessage(message);

  const listeners = new Set<(change: LiveChange) => void>();
  const lostListeners = new Set<(reconnect: (() => void) | null) => void>();
  const live: LiveObject = {
    genes: 'live/genes.json',
    columns: 'live/columns.json',
    statistics: 'live/statistics.json',
    compare: (a, b, ctx) => read('live/compare.json', ctx, joined([a, b])),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };

  const onMessage = ({ data }: MessageEvent<ToViewer>) => {
    if (data.type === 'lost') {
      const reconnect = data.canReconnect ? () => post({ type: 'reconnect' }) : null;
      for (const listener of lostListeners) listener(reconnect);
    }
    if (data.type === 'live') {
      // Not checked, like the manifest's types: the kernel is trusted.
      const change = { columns: data.columns as readonly Column[], matrix: data.matrix };
      for (const listener of listeners) listener(change);
    }
    if (data.type !== 'part' && data.type !== 'refused') return;
    const read = pending.get(data.id);
    if (!read) return;
    if (data.type === 'refused') {
      pending.delete(data.id);
      const missing = data.tag === 'not-found';
      read.reject(missing ? new NotFoundError(read.path) : new HostError(read.path, data.message));
      return;
    }
    // A repeated request may be answered twice; count each part once.
    if (read.parts[data.index] === undefined) read.bytes += data.bytes.byteLength;
    read.parts[data.index] = data.bytes;
    try {
      checkLength(read.path, Math.max(read.bytes, data.total), read.ctx);
    } catch (tooLong) {
      pending.delete(data.id);
      post({ type: 'abort', id: data.id });
      read.reject(tooLong);
      return;
    }
    read.ctx.progress?.(read.bytes, data.total);
    const parts = read.parts.filter((part) => part !== undefined);
    if (parts.length < data.count) return;
    pending.delete(data.id);
    read.resolve(parts.length === 1 && parts[0] ? parts[0] : joined(parts));
  };
  port.addEventListener('message', onMessage);

  const read = (path: string, ctx: ReadContext, body?: Uint8Array): Promise<Uint8Array> => {
    if (ctx.signal.aborted) return Promise.reject(ctx.signal.reason);
    return new Promise((resolve, reject) => {
      const id = ++last;
      const abort = () => {
        pending.delete(id);
        post({ type: 'abort', id });
        reject(ctx.signal.reason);
      };
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          ctx.signal.removeEventListener('abort', abort);
          done(value);
        };
      ctx.signal.addEventListener('abort', abort, { once: true });
      pending.set(id, { parts: [], bytes: 0, resolve: settle(resolve), reject: settle(reject), ctx, path });
      post({ type: 'read', id, path, body });
    });
  };

  return {
    live: hasLive ? live : undefined,
    onLost: (listener) => void lostListeners.add(listener),
    read: (path, ctx) => read(path, ctx),
    dispose() {
      port.removeEventListener('message', onMessage);
      const closed = new DOMException('The source was closed.', 'AbortError');
      for (const { reject } of pending.values()) reject(closed);
      pending.clear();
    },
  };
}
