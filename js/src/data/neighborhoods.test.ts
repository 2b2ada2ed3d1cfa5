import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { neighborhoodsOf } from './neighborhoods';
import type { Graph } from './neighbors';

interface Case {
  name: string;
  edges: [number, number][];
  codes: number[];
  sections: number[];
  mask: number[];
  count: number[];
  expected: number[];
  z: (number | null)[];
}

const cases = JSON.parse(
  readFileSync(new URL('../../../tests/golden/neighborhoods.json', import.meta.url), 'utf8'),
) as Case[];
const categories = ['a', '=b', 'c'].map((name) => ({ name, count: 1, color: '#000000' }));
const { signal } = new AbortController();

function graphOf(edges: readonly [number, number][], cells: number): Graph {
  const lists = Array.from({ length: cells }, (_, cell) =>
    edges.flatMap(([a, b]) => (a === cell ? [b] : b === cell ? [a] : [])),
  );
  const starts = [0];
  for (const list of lists) starts.push((starts.at(-1) ?? 0) + list.length);
  return { starts: Uint32Array.from(starts), cells: Uint32Array.from(lists.flat()) };
}

/** Returns whether all numbers agree; null means NaN. */
const near = (found: Float64Array, wanted: readonly (number | null)[]) =>
  wanted.every((value, i) => {
    const actual = found[i] ?? 0;
    return value === null ? Number.isNaN(actual) : Math.abs(actual - value) <= 1e-9 * (1 + Math.abs(value));
  });

test.each(cases)('$name: scores match those over all permutations', async (given) => {
  const codes = Uint8Array.from(given.codes);
  const graph = graphOf(given.edges, codes.length);
  const whole = given.mask.every((flag) => flag === 1);
  const mask = whole ? null : Uint8Array.from(given.mask);
  const sections = Uint8Array.from(given.sections);
  const found = await neighborhoodsOf(graph, { codes, categories }, sections, mask, signal);
  expect(Array.from(found.count)).toEqual(given.count);
  expect(near(found.expected, given.expected), `expected counts: ${found.expected}`).toBe(true);
  expect(near(found.z, given.z), `z scores: ${found.z}`).toBe(true);
});

test('counting stops when it is canceled', async () => {
  const codes = new Uint8Array(5);
  const made = neighborhoodsOf(
    graphOf([[0, 1]], 5),
    { codes, categories },
    null,
    null,
    AbortSignal.abort(new Error('closed')),
  );
  await expect(made).rejects.toThrow('closed');
});
