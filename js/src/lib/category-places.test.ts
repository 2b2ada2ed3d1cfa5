import { expect, test } from 'vitest';
import { categoryPlaces } from './category-places';

const EXTENT = [0, 0, 100, 100] as const;

/** Returns coordinates of discs of 200 cells, one after another. */
function discs(...centers: readonly (readonly [number, number])[]): Float32Array {
  return Float32Array.from(
    centers.flatMap(([x, y]) =>
      Array.from({ length: 200 }, (_, i) => {
        const [angle, radius] = [i * 2.4, 6 * Math.sqrt(i / 200)];
        return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
      }).flat(),
    ),
  );
}

test('the name of a category is in the middle of its largest part', () => {
  // Only half of the cells of the second disc belong to the first category.
  const coords = discs([20, 20], [80, 80], [80, 20]);
  const codes = Uint8Array.from({ length: 600 }, (_, i) => (i < 200 ? 0 : i < 300 ? 0 : 1));
  const { places, counts } = categoryPlaces(coords, EXTENT, codes, 2);
  expect([...counts]).toEqual([300, 300]);
  const [x = 0, y = 0] = places;
  expect(Math.hypot(x - 20, y - 20), 'distance from the center of the larger disc').toBeLessThan(1);
});

test('the name of a ring is on the ring', () => {
  const ring = Float32Array.from(
    Array.from({ length: 800 }, (_, i) => {
      const angle = (i / 800) * 2 * Math.PI;
      return [50 + 40 * Math.cos(angle), 50 + 40 * Math.sin(angle)];
    }).flat(),
  );
  const [x = 0, y = 0] = categoryPlaces(ring, EXTENT, new Uint8Array(800), 1).places;
  expect(Math.abs(Math.hypot(x - 50, y - 50) - 40)).toBeLessThan(3);
});

test('cells without coordinates or without a category are not counted', () => {
  const coords = Float32Array.from([1, 1, Number.NaN, Number.NaN, 9, 9]);
  const { places, counts } = categoryPlaces(coords, EXTENT, [0, 0, 2], 2);
  expect([...counts]).toEqual([1, 0]);
  expect([...places]).toEqual([1, 1, Number.NaN, Number.NaN]);
});
