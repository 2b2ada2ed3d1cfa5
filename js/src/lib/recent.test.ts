import { expect, test } from 'vitest';
import { keepRecent } from './recent';

test('the least recently used entry is dropped first', () => {
  const kept = new Map<string, number>();
  for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) keepRecent(kept, key, value, 3);
  keepRecent(kept, 'a', 1, 3);
  keepRecent(kept, 'd', 4, 3);
  expect([...kept.keys()]).toEqual(['c', 'a', 'd']);
});

test('entries are dropped by size, but never the newest', () => {
  const kept = new Map<string, Uint8Array>();
  const keep = (key: string, length: number) =>
    keepRecent(kept, key, new Uint8Array(length), 10, (bytes) => bytes.length);
  keep('a', 6);
  keep('b', 4);
  keep('c', 5);
  expect([...kept.keys()]).toEqual(['b', 'c']);
  keep('large', 20);
  expect([...kept.keys()]).toEqual(['large']);
});
