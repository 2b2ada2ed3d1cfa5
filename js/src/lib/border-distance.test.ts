import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { borderDistances } from './border-distance';

interface Case {
  name: string;
  outline: [number, number][];
  cells: [number, number][];
  distances: number[];
}

const cases = JSON.parse(
  readFileSync(new URL('../../../tests/golden/distances.json', import.meta.url), 'utf8'),
) as Case[];
const { signal } = new AbortController();

test.each(cases)('distances of “$name” agree with exact values', async ({ outline, cells, distances }) => {
  const found = await borderDistances(outline.flat(), Float32Array.from(cells.flat()), null, 1, signal);
  found.forEach((value, cell) => {
    const exact = distances[cell] ?? Number.NaN;
    expect(Math.sign(value)).toBe(Math.sign(exact));
    expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2e-7);
  });
});

test('cells that are not accepted have no distance, and distances are scaled', async () => {
  const coords = Float32Array.from([1, 2, 7, 8, Number.NaN, 1, 2, 2]);
  const square = [0, 0, 4, 0, 4, 4, 0, 4];
  const found = await borderDistances(square, coords, (cell) => cell !== 3, 0.5, signal);
  expect([...found]).toEqual([-0.5, 2.5, Number.NaN, Number.NaN]);
  const none = await borderDistances(square, coords, () => false, 1, signal);
  expect([...none]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
});

test('edges that cannot be the nearest are skipped without changing the result', async () => {
  // Pseudorandom, so that the test is reproducible.
  let seed = 1;
  const next = () => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  const outline = Array.from({ length: 300 }, (_, i) => {
    const radius = 300 + 600 * next();
    return [radius * Math.cos((i / 150) * Math.PI), radius * Math.sin((i / 150) * Math.PI)];
  }).flat();
  const coords = Float32Array.from({ length: 20_000 }, () => 3000 * next() - 1500);
  const together = await borderDistances(outline, coords, null, 1, signal);
  for (let cell = 0; cell < together.length; cell += 97) {
    const alone = await borderDistances(outline, coords.slice(2 * cell, 2 * cell + 2), null, 1, signal);
    expect(together[cell]).toBe(alone[0]);
  }
});

test('a canceled computation stops', async () => {
  const closed = AbortSignal.abort(new Error('closed'));
  await expect(borderDistances([0, 0, 1, 0, 1, 1], new Float32Array(4), null, 1, closed)).rejects.toThrow(
    'closed',
  );
});
