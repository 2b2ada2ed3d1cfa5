import { expect, test } from 'vitest';
import { KernelRequests } from './kernel-requests';
import type { Model, Sent } from './model';

/** Returns a fake channel, the messages sent through it, and `part`, which delivers a reply of one part. */
function channel() {
  const sent: Sent[] = [];
  let deliver: (message: unknown, buffers: DataView[]) => void = () => {};
  const model: Model = {
    get: () => undefined,
    set: () => {},
    save_changes: () => {},
    send: (content) => sent.push(content),
    on: (_, listener) => {
      deliver = listener as typeof deliver;
    },
    off: () => {},
  };
  const part = (id: string, text: string) => {
    const bytes = new TextEncoder().encode(text);
    const message = { type: 'part', view: 'f', id, index: 0, count: 1, total: bytes.length };
    deliver(message, [new DataView(bytes.buffer)]);
  };
  return { model, sent, part };
}

const noListener = { waiting() {}, opened() {}, changed() {}, closed() {} };

test('a reloaded viewer gets no replies to its earlier reads', () => {
  const { model, sent, part } = channel();
  const requests = new KernelRequests('f', model, model, noListener);
  const replies: string[] = [];
  const handlers = {
    done: (bytes: Uint8Array) => replies.push(new TextDecoder().decode(bytes)),
    refused: () => {},
  };
  const ids = () => sent.map(({ id }) => String(id));
  requests.read(1, 'live/gene_0', handlers);
  requests.restart();
  requests.read(1, 'live/gene_1', handlers);
  part(ids()[0] ?? '', 'values of gene 0');
  expect(replies).toEqual([]);
  part(ids()[1] ?? '', 'values of gene 1');
  expect(replies).toEqual(['values of gene 1']);
  requests.dispose();
});

test('an aborted read gets no reply, and a pending read of the page survives a reload of the viewer', () => {
  const { model, sent, part } = channel();
  const requests = new KernelRequests('f', model, model, noListener);
  const replies: string[] = [];
  const done = (name: string) => ({ done: () => replies.push(name), refused: () => {} });
  requests.readPage(done('page'));
  requests.read(1, 'a', done('a'));
  requests.read(2, 'b', done('b'));
  requests.abort(1);
  for (const { id } of sent.slice(1)) part(String(id), '');
  expect(replies).toEqual(['b']);
  requests.restart();
  part(String(sent[0]?.id), '<html>');
  expect(replies).toEqual(['b', 'page']);
  requests.dispose();
});
