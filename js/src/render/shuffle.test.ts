import { describe, expect, test } from 'vitest';
import { placed, placedPositions, shuffledPlaces } from './shuffle';

describe('the drawing order', () => {
  test.each([0, 1, 2, 255, 256, 257, 600, 70_001])('is a fixed permutation of %i cells', (count) => {
    const places = shuffledPlaces(count);
    expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(shuffledPlaces(count)).toEqual(places);
  });

  test('starts with cells from all parts of the file', () => {
    const count = 200_000;
    const places = shuffledPlaces(count);
    for (const part of [2_000, 31_000, 120_000]) {
      const tenths = new Float64Array(10);
      places.forEach((place, cell) => {
        const tenth = Math.floor((cell / count) * 10);
        if (place < part) tenths[tenth] = (tenths[tenth] ?? 0) + 10 / part;
      });
      for (const share of tenths) expect(Math.abs(share - 1)).toBeLessThan(0.25);
    }
  });

  test('does not alternate with the cells of a regular grid', () => {
    const places = shuffledPlaces(256 * 400);
    // In every stretch of the file, the first half of the order has as many even cells as odd ones.
    for (let from = 0; from < places.length; from += 25_600) {
      const even = places.subarray(from, from + 25_600).filter((place, i) => place < 51_200 && i % 2 === 0);
      expect(even.length / 6_400).toBeCloseTo(1, 1);
    }
  });

  test('applies to values and positions alike', () => {
    const places = shuffledPlaces(1000);
    const values = Float32Array.from({ length: 1000 }, (_, i) => i);
    const reordered = placed(values, places);
    for (const cell of [0, 1, 500, 999]) expect(reordered[places[cell] ?? -1]).toBe(cell);
    const coords = Float32Array.from({ length: 2000 }, (_, i) => (i === 7 ? Number.NaN : i));
    const moved = placedPositions(coords, places, 10, 20);
    const at = (cell: number) => 2 * (places[cell] ?? -1);
    expect([...moved.subarray(at(5), at(5) + 2)]).toEqual([0, -9]);
    expect(moved[at(3)]).toBe(Math.fround(1e30));
  });
});
