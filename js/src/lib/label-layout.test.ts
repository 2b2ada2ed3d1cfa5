import { expect, test } from 'vitest';
import { type LabelBox, withoutOverlap } from './label-layout';

const box = (x: number, y: number): LabelBox => ({ x, y, width: 80, height: 16 });

test('labels that are apart stay where they are', () => {
  expect(withoutOverlap([box(0, 0), box(100, 0), box(0, 20)])).toEqual([
    [0, 0],
    [100, 0],
    [0, 20],
  ]);
});

test('no label overlaps another; the first ones have priority, and the last ones are dropped', () => {
  const wanted = Array.from({ length: 60 }, (_, i) => box((i % 8) * 12, Math.floor(i / 8) * 6));
  const places = withoutOverlap(wanted);
  expect(places[0]).toEqual([0, 0]);
  const shown = places.filter((place) => place !== null);
  expect(shown.length).toBeGreaterThan(3);
  expect(shown.length).toBeLessThan(60);
  for (const [index, [x, y]] of shown.entries())
    for (const [u, v] of shown.slice(index + 1))
      expect(Math.abs(x - u) >= 80 || Math.abs(y - v) >= 16, `${x}, ${y} overlaps ${u}, ${v}`).toBe(true);
});
