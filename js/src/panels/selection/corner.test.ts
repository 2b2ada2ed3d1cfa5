import { expect, test } from 'vitest';
import { UPRIGHT, viewOf } from '../../lib/camera';
import { cellsWhere } from '../../state/color/scope';
import { selectionOf } from '../../state/selection/selection';
import { countCovered } from './corner';

const viewport = { width: 1000, height: 1000 };
const left = [0, 0, 500, 1000] as const;
const right = [500, 0, 1000, 1000] as const;

function covered(
  xs: Float32Array,
  selected: (cell: number) => boolean,
  shown = cellsWhere(xs.length, () => true),
) {
  const coords = new Float32Array(2 * xs.length);
  for (const [cell, x] of xs.entries()) coords.set([x, 5], 2 * cell);
  const extent = [0, 0, 10, 10] as const;
  const view = viewOf({ x: 5, y: 5, zoom: 1 }, extent, viewport, 'up', UPRIGHT);
  const selection = selectionOf(Uint8Array.from(xs, (_, cell) => Number(selected(cell))));
  return selection && countCovered([left, right], selection, { coords, view, shown });
}

test('selected cells under each card are counted if they are shown', () => {
  const xs = Float32Array.of(1, 2, 3, 8, 9, Number.NaN);
  expect(covered(xs, () => true)).toEqual([3, 2]);
  expect(covered(xs, (cell) => cell !== 1)).toEqual([2, 2]);
  expect(
    covered(
      xs,
      (cell) => cell !== 1,
      cellsWhere(6, (cell) => cell > 1),
    ),
  ).toEqual([1, 2]);
});

test('of many cells, only a sample is counted', () => {
  const xs = Float32Array.from({ length: 300_000 }, (_, cell) => (cell < 200_000 ? 1 : 9));
  const [atLeft = 0, atRight = 0] = covered(xs, () => true) ?? [];
  expect(atLeft + atRight).toBe(100_000);
  expect(atLeft / atRight).toBeCloseTo(2, 3);
});
