import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ToHost } from '../contract/host';
import { HttpError, NotFoundError, UnreachableError } from '../lib/errors';
import type { BundleSource } from './bundle-source';
import { embeddedSource } from './embedded-source';
import { filesSource, handleSource } from './folder-source';
import { hostSource } from './host-source';
import { httpSource } from './http-source';
import { memorySource } from './memory-source';
import { scriptSource } from './script-source';

const files = new Map<string, Uint8Array<ArrayBuffer>>([
  ['manifest.json', new TextEncoder().encode('{}')],
  ['assets/a b#1.bin', new Uint8Array([0, 1, 2, 255])],
  ['assets/empty.bin', new Uint8Array(0)],
]);

let server: Server;
let base = '';
beforeAll(async () => {
  server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').slice(1));
    const bytes = files.get(path);
    if (path === 'assets/broken.bin') response.writeHead(503).end();
    else if (!bytes) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': bytes.byteLength }).end(bytes);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.close());

function pickedFiles(): File[] {
  return [...files].map(([path, bytes]) => {
    const file = new File([bytes], path.split('/').at(-1) ?? '');
    Object.defineProperty(file, 'webkitRelativePath', { value: `my export/${path}` });
    return file;
  });
}

function folderHandle(prefix = ''): FileSystemDirectoryHandle {
  const missing = () => new DOMException('none', 'NotFoundError');
  const handle = {
    async getDirectoryHandle(name: string) {
      if (![...files.keys()].some((path) => path.startsWith(`${prefix}${name}/`))) throw missing();
      return folderHandle(`${prefix}${name}/`);
    },
    async getFileHandle(name: string) {
      const bytes = files.get(prefix + name);
      if (!bytes) throw missing();
      return { getFile: async () => new File([bytes], name) };
    },
  };
  return handle as unknown as FileSystemDirectoryHandle;
}

function embeddedPage(): Document {
  const elements = [...files].map(([path, bytes]) => ({
    getAttribute: () => path,
    textContent: Buffer.from(bytes).toString('base64'),
  }));
  return { querySelectorAll: () => elements } as unknown as Document;
}

/** Embedding page that sends each file in parts of one byte, the last part twice, as after a repeated request. */
function hostPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = ({ data }: MessageEvent<ToHost>) => {
    if (data.type !== 'read') return;
    const { id, path } = data;
    const bytes = files.get(path);
    if (!bytes) {
      port2.postMessage({ type: 'refused', id, tag: 'not-found', message: 'none' });
      return;
    }
    const count = Math.max(1, bytes.byteLength);
    for (const index of [count - 1, ...Array(count).keys()]) {
      const piece = bytes.slice(index, index + 1);
      port2.postMessage({ type: 'part', id, index, count, total: bytes.byteLength, bytes: piece });
    }
  };
  port1.start();
  ports.push(port1, port2);
  return port1;
}
const ports: MessagePort[] = [];
afterAll(() => {
  for (const port of ports) port.close();
});

/** Scripts like those of the exporter: two shards, with a file that is split between them. */
async function scripts(): Promise<BundleSource | null> {
  const listed = [...files].filter(([path]) => path !== 'manifest.json');
  const bytes = Buffer.concat(listed.map(([, part]) => part));
  const shards = [
    { path: 'scripts/0000.js', start: 0, end: 3 },
    { path: 'scripts/0001.js', start: 3, end: bytes.length },
  ];
  const manifest = {
    asset_files: listed.map(([path, part]) => ({ kind: 'x', path, size_bytes: part.length })),
    scripts: shards,
  };
  const contents = new Map([['manifest.js', Buffer.from(JSON.stringify(manifest))]]);
  for (const { path, start, end } of shards) contents.set(path, bytes.subarray(start, end));
  return scriptSource(async (path) => {
    const content = contents.get(path);
    if (!content) throw new NotFoundError(path);
    return { name: path, base64: content.toString('base64') };
  });
}

const sources: [string, () => BundleSource | null | Promise<BundleSource | null>][] = [
  ['memory', () => memorySource(files)],
  ['http', () => httpSource(base)],
  ['files', () => filesSource(pickedFiles())],
  ['handle', () => handleSource(folderHandle())],
  ['embedded', () => embeddedSource(embeddedPage())],
  ['host', () => hostSource(hostPort())],
  ['scripts', scripts],
];

describe.each(sources)('%s source', (_, open) => {
  const source = async (): Promise<BundleSource> => {
    const opened = await open();
    if (!opened) throw new Error('no source');
    return opened;
  };
  const ctx = () => ({ signal: new AbortController().signal });

  test('reads files with special characters in their names', async () => {
    expect([...(await (await source()).read('assets/a b#1.bin', ctx()))]).toEqual([0, 1, 2, 255]);
  });

  test('reads an empty file', async () => {
    expect((await (await source()).read('assets/empty.bin', ctx())).byteLength).toBe(0);
  });

  test('rejects a file that is longer than the limit', async () => {
    const read = async (most: number) => (await source()).read('assets/a b#1.bin', { ...ctx(), most });
    expect((await read(4)).byteLength).toBe(4);
    await expect(read(3)).rejects.toThrow(
      /assets\/a b#1\.bin cannot be read: it has more than the expected 3 bytes/,
    );
  });

  test('rejects a missing file with a NotFoundError that names it', async () => {
    const failure = (await source()).read('assets/none.bin', ctx());
    await expect(failure).rejects.toBeInstanceOf(NotFoundError);
    await expect(failure).rejects.toMatchObject({ tag: 'not-found', path: 'assets/none.bin' });
  });

  test('rejects with the reason of an abort', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    stop.abort(reason);
    await expect((await source()).read('manifest.json', { signal: stop.signal })).rejects.toBe(reason);
  });

  test('reports progress up to the full size', async () => {
    const steps: number[] = [];
    await (await source()).read('assets/a b#1.bin', { ...ctx(), progress: (done) => steps.push(done) });
    expect(steps.at(-1)).toBe(4);
  });

  test('keeps concurrent reads apart', async () => {
    const opened = await source();
    const [one, two] = await Promise.all([
      opened.read('manifest.json', ctx()),
      opened.read('assets/a b#1.bin', ctx()),
    ]);
    expect([String.fromCharCode(one[0] ?? 0), two.byteLength]).toEqual(['{', 4]);
  });
});

test('an HTTP error has the URL and the status', async () => {
  const failure = httpSource(base).read('assets/broken.bin', { signal: new AbortController().signal });
  await expect(failure).rejects.toBeInstanceOf(HttpError);
  await expect(failure).rejects.toMatchObject({ status: 503, url: `${base}assets/broken.bin` });
});

test('no response is an UnreachableError', async () => {
  const closed = createServer();
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
  const { port } = closed.address() as AddressInfo;
  await new Promise((done) => closed.close(done));
  const failure = httpSource(`http://127.0.0.1:${port}/`).read('manifest.json', {
    signal: new AbortController().signal,
  });
  await expect(failure).rejects.toBeInstanceOf(UnreachableError);
});

test('aborting a read through the host sends an abort message', async () => {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const sent: ToHost[] = [];
  const bothSent = new Promise<void>((done) => {
    port2.onmessage = ({ data }: MessageEvent<ToHost>) => {
      sent.push(data);
      if (sent.length === 2) done();
    };
  });
  const stop = new AbortController();
  const failure = hostSource(port1).read('assets/slow.bin', { signal: stop.signal });
  stop.abort(new Error('another gene'));
  await expect(failure).rejects.toThrow('another gene');
  await bothSent;
  expect(sent).toEqual([
    { type: 'read', id: 1, path: 'assets/slow.bin' },
    { type: 'abort', id: 1 },
  ]);
});
