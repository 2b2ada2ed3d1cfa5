import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ReadContext } from '../source/bundle-source';
import type { AssetReader } from './chunks';
import { readingAhead } from './read-ahead';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const ctx = { signal: new AbortController().signal };

/** A reader whose reads resolve when `answer` is called. */
function slowReader() {
  const running = new Map<string, () => void>();
  const begun: string[] = [];
  const base: AssetReader = {
    files: new Map(),
    read: (path, _, { signal }) =>
      new Promise((resolve, reject) => {
        begun.push(path);
        running.set(path, () => resolve(new Uint8Array(1)));
        signal.addEventListener('abort', () => {
          running.delete(path);
          reject(signal.reason);
        });
      }),
  };
  const reader = readingAhead(base);
  const ahead = (...paths: string[]) =>
    reader.readAhead?.(paths.map((path) => (at: ReadContext) => reader.read(path, undefined, at)));
  return { reader, ahead, begun, running, answer: (path: string) => running.get(path)?.() };
}

const idle = () => vi.advanceTimersByTimeAsync(1000);

test('reading ahead loads one file at a time once other reads have paused', async () => {
  const { ahead, begun, answer } = slowReader();
  ahead('one', 'two');
  await vi.advanceTimersByTimeAsync(100);
  expect(begun).toEqual([]);
  await idle();
  expect(begun).toEqual(['one']);
  answer('one');
  await idle();
  expect(begun).toEqual(['one', 'two']);
});

test('reading ahead waits while another file is being read', async () => {
  const { reader, ahead, begun, answer } = slowReader();
  const read = reader.read('click', undefined, ctx);
  ahead('one');
  await idle();
  expect(begun).toEqual(['click']);
  answer('click');
  await read;
  await idle();
  expect(begun).toEqual(['click', 'one']);
});

test('reading ahead is interrupted by any other read, and continues after it', async () => {
  const { reader, ahead, begun, running, answer } = slowReader();
  ahead('one', 'two');
  await idle();
  const read = reader.read('click', undefined, ctx);
  expect([...running.keys()]).toEqual(['click']);
  answer('click');
  await read;
  await idle();
  expect(begun).toEqual(['one', 'click', 'one']);
});

test('new reads ahead replace those that are waiting, and failures are ignored', async () => {
  const { reader, ahead, begun } = slowReader();
  ahead('one', 'two');
  reader.readAhead?.([() => Promise.reject(new Error('gone')), (at) => reader.read('three', undefined, at)]);
  await idle();
  expect(begun).toEqual(['three']);
});
