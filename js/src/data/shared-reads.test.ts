import { expect, test } from 'vitest';
import { SharedReads } from './shared-reads';

function deferred() {
  let resolve: (value: number) => void = () => {};
  const promise = new Promise<number>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test('two callers share one read', async () => {
  const reads = new SharedReads<number>();
  const gate = deferred();
  let started = 0;
  const read = () => {
    started++;
    return gate.promise;
  };
  const one = reads.run('a', new AbortController().signal, read);
  const two = reads.run('a', new AbortController().signal, read);
  gate.resolve(7);
  expect(await Promise.all([one, two])).toEqual([7, 7]);
  expect(started).toBe(1);
  await Promise.resolve();
  expect(reads.size).toBe(0);
});

test('a read is aborted only when its last caller aborts', async () => {
  const reads = new SharedReads<number>();
  const gate = deferred();
  let inner: AbortSignal | null = null;
  const read = (signal: AbortSignal) => {
    inner = signal;
    return gate.promise;
  };
  const [stopOne, stopTwo] = [new AbortController(), new AbortController()];
  const one = reads.run('a', stopOne.signal, read);
  const two = reads.run('a', stopTwo.signal, read);
  stopOne.abort('first');
  await expect(one).rejects.toBe('first');
  expect((inner as AbortSignal | null)?.aborted).toBe(false);
  stopTwo.abort('second');
  await expect(two).rejects.toBe('second');
  expect((inner as AbortSignal | null)?.aborted).toBe(true);
  expect(reads.size).toBe(0);
});

test('a failed read is retried on the next call', async () => {
  const reads = new SharedReads<number>();
  const { signal } = new AbortController();
  await expect(reads.run('a', signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await reads.run('a', signal, async () => 1)).toBe(1);
});
