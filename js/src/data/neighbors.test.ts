import { describe, expect, test } from 'vitest';
import type { AssetReader } from './chunks';
import { neighborsOf, readableNeighbors, readNeighbors } from './neighbors';

const ctx = { signal: new AbortController().signal };

/** A file with the edges 0–1, 0–3 and 3–300 of 301 cells. */
function file(change: (bytes: number[]) => number[] = (bytes) => bytes): Uint8Array {
  const counts = Array.from({ length: 301 }, (_, cell) => (cell === 0 ? 2 : cell === 3 ? 1 : 0));
  const header = new Uint8Array(Uint32Array.of(0x4e50534b, 1, 301, 3).buffer);
  return Uint8Array.from(change([...header, ...counts, 0, 1, 0x80 | (296 & 0x7f), 296 >> 7]));
}

/** Returns the bytes with one of them replaced. A negative position counts from the end. */
const replaced = (bytes: number[], at: number, value: number) =>
  bytes.map((byte, i) => (i === (at + bytes.length) % bytes.length ? value : byte));

const readerOf = (...parts: Uint8Array[]): AssetReader => ({
  files: new Map(),
  read: async (path) => parts[Number(path)] ?? new Uint8Array(0),
});

const read = (parts: Uint8Array[], edges = 3, cells = 301) =>
  readNeighbors(
    readerOf(...parts),
    { version: 1, source: 'nearest:6', n_edges: edges, paths: parts.map((_, i) => `${i}`) },
    cells,
    ctx,
  );

test('each cell has all its neighbors in ascending order', async () => {
  const graph = await read([file()]);
  expect(Array.from(neighborsOf(graph, 0))).toEqual([1, 3]);
  expect(Array.from(neighborsOf(graph, 1))).toEqual([0]);
  expect(Array.from(neighborsOf(graph, 3))).toEqual([0, 300]);
  expect(Array.from(neighborsOf(graph, 300))).toEqual([3]);
  expect(Array.from(neighborsOf(graph, 2))).toEqual([]);
});

test('a graph in several files is joined', async () => {
  const bytes = file();
  const graph = await read([bytes.subarray(0, 100), bytes.subarray(100)]);
  expect(Array.from(neighborsOf(graph, 3))).toEqual([0, 300]);
});

describe('damaged files are rejected with an error that names the neighbors', () => {
  test.each([
    ['truncated', (bytes: number[]) => bytes.slice(0, -1)],
    ['an extra byte', (bytes: number[]) => [...bytes, 0]],
    ['empty', () => []],
    ['wrong magic bytes', (bytes: number[]) => [0, ...bytes.slice(1)]],
    ['a wrong number of cells', (bytes: number[]) => replaced(bytes, 8, 44)],
    ['too many edges for a cell', (bytes: number[]) => replaced(bytes, 16, 3)],
    ['too few edges for a cell', (bytes: number[]) => replaced(bytes, 16, 1)],
    ['a neighbor beyond the last cell', (bytes: number[]) => replaced(bytes, -1, 3)],
    ['an unterminated number', (bytes: number[]) => [...bytes.slice(0, -1), ...new Array(9).fill(0x80)]],
  ])('%s', async (_, change) => {
    await expect(read([file(change)])).rejects.toThrow(/the neighbors are damaged/);
  });

  test('too many edges', async () => {
    await expect(read([file()], 1e9)).rejects.toThrow(/the neighbors are damaged/);
  });
});

test('reading stops when it is canceled', async () => {
  const stated = { version: 1, source: 'nearest:6', n_edges: 3, paths: ['0'] };
  const signal = AbortSignal.abort(new Error('closed'));
  await expect(readNeighbors(readerOf(file()), stated, 301, { signal })).rejects.toThrow('closed');
});

test('neighbors of another version are ignored', () => {
  const manifest = { neighbors: { version: 2, source: 'x', n_edges: 1, paths: ['0'] } };
  expect(readableNeighbors(manifest as never)).toBeNull();
  expect(readableNeighbors({} as never)).toBeNull();
});
