import { expect, test } from 'vitest';
import { edgesOf, MAX_EDGES } from './edges';

/** Cells on a line; each is a neighbor of the next. */
function line(cells: number) {
  const lists = Array.from({ length: cells }, (_, cell) =>
    [cell - 1, cell + 1].filter((other) => other >= 0 && other < cells),
  );
  const starts = [0];
  for (const list of lists) starts.push((starts.at(-1) ?? 0) + list.length);
  const graph = { starts: Uint32Array.from(starts), cells: Uint32Array.from(lists.flat()) };
  return { graph, coords: Float32Array.from({ length: 2 * cells }, (_, i) => (i % 2 ? 0 : i / 2)) };
}

const { graph, coords } = line(6);
const pairs = (found: Float32Array | null) =>
  Array.from({ length: (found?.length ?? 0) / 4 }, (_, i) => [found?.[4 * i], found?.[4 * i + 2]]);

test('each edge is drawn once, even if only one of its cells is visible', () => {
  const found = edgesOf(graph, coords, Uint32Array.of(2, 3), null, [0, 0]);
  expect(pairs(found)).toEqual([
    [2, 1],
    [2, 3],
    [3, 4],
  ]);
});

test('edges are relative to the center', () => {
  expect(Array.from(edgesOf(graph, coords, Uint32Array.of(0), null, [10, 1]) ?? [])).toEqual([
    -10, -1, -9, -1,
  ]);
});

test('edges to hidden cells and to cells without coordinates are left out', () => {
  const holes = coords.slice();
  holes[6] = Number.NaN;
  const found = edgesOf(graph, holes, Uint32Array.of(2), (cell) => cell !== 1, [0, 0]);
  expect(found).toHaveLength(0);
});

test('too many edges are not drawn', () => {
  const long = line(MAX_EDGES + 2);
  const all = Uint32Array.from({ length: MAX_EDGES + 2 }, (_, i) => i);
  expect(edgesOf(long.graph, long.coords, all, null, [0, 0])).toBeNull();
  expect(edgesOf(long.graph, long.coords, all.subarray(0, MAX_EDGES), null, [0, 0])).toHaveLength(
    4 * MAX_EDGES,
  );
});
