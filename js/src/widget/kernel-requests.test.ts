import { expect, test } from 'vitest';
import { KernelRequests } from './kernel-requests';
import type { Model, Sent } from './model';

/** A channel that keeps what is sent, and a function that delivers a message of the kernel. */
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

const nobody = { waiting() {}, opened() {}, changed() {}, closed() {} };

test('a viewer that was loaded again gets no answers to its earlier reads', () => {
  const { model, sent, part } = channel();
  const requests = new KernelRequests('f', model, model, nobody);
  const got: string[] = [];
  const asked = {
    done: (bytes: Uint8Array) => got.push(new TextDecoder().decode(bytes)),
    refused: () => {},
  };
  const ids = () => sent.map(({ id }) => String(id));
  requests.read(1, 'live/gene_0', asked);
  requests.restart();
  requests.read(1, 'live/gene_1', asked);
  part(ids()[0] ?? '', 'values of gene 0');
  expect(got).toEqual([]);
  part(ids()[1] ?? '', 'values of gene 1');
  expect(got).toEqual(['values of gene 1']);
  requests.dispose();
});

test('an aborted read is not answered, and the page is read whenever the viewer is loaded', () => {
  const { model, sent, part } = channel();
  const requests = new KernelRequests('f', model, model, nobody);
  const got: string[] = [];
  const done = (name: string) => ({ done: () => got.push(name), refused: () => {} });
  requests.readPage(done('page'));
  requests.read(1, 'a', done('a'));
  requests.read(2, 'b', done('b'));
  requests.abort(1);
  for (const { id } of sent.slice(1)) part(String(id), '');
  expect(got).toEqual(['b']);
  requests.restart();
  part(String(sent[0]?.id), '<html>');
  expect(got).toEqual(['b', 'page']);
  requests.dispose();
});
