import { expect, test } from 'vitest';
import { blurs, cameraAt, cameraFrom, originOf, plain, seenFrom, ZERO } from './origin';

const grid = (pitch: number, [x, y]: readonly [number, number]) =>
  Float64Array.from({ length: 800 }, (_, i) =>
    i % 2 === 0 ? ((i / 2) % 20) * pitch + x : Math.floor(i / 40) * pitch + y,
  );

test('coordinates near zero need no origin', () => {
  for (const pitch of [0.01, 0.5, 300]) expect(originOf(grid(pitch, [0, 0]))).toEqual(ZERO);
  expect(originOf(Float64Array.of(Number.NaN, 1))).toEqual(ZERO);
});

test.each([
  [1e7, -3e7],
  [5e5, 1e9],
  [123456.7, 6e4],
] as const)('cells near %d, %d keep their distances', (x, y) => {
  const xy = grid(0.5, [x, y]);
  const origin = originOf(xy);
  const near = seenFrom(origin, xy);
  for (const [i, value] of near.entries()) expect(value + (origin[i % 2] ?? 0)).toBeCloseTo(xy[i] ?? 0, 4);
  expect(origin.every((value) => Number.isInteger(value))).toBe(true);
});

test.each([
  [0.3, 4e6],
  [0.5, 1e7],
  [1.5, -1e8],
])('an outlier does not affect the precision of cells with pitch %d at %d', (pitch, far) => {
  const xy = grid(pitch, [far, far]);
  xy.set([0.3, 0.3]);
  const origin = originOf(xy);
  const near = seenFrom(origin, xy).subarray(2);
  for (const [i, value] of near.entries())
    expect(value + (origin[i % 2] ?? 0)).toBeCloseTo(xy[i + 2] ?? 0, 4);
});

test('cells near zero with an outlier need no origin', () => {
  const xy = grid(10, [0, 0]);
  xy.set([1e8, 1e8]);
  expect(originOf(xy)).toEqual(ZERO);
});

test('cells far from zero get an origin despite gaps between sections', () => {
  const sections = Array.from({ length: 10 }, (_, i) =>
    grid(1, [1e9 + i * 1e5 + 0.25, 1e9 + i * 1e5 + 0.25]),
  );
  const xy = Float64Array.from(sections.flatMap((section) => [...section]));
  const origin = originOf(xy);
  for (const [i, value] of seenFrom(origin, xy).entries())
    expect(Math.abs(value + (origin[i % 2] ?? 0) - (xy[i] ?? 0))).toBeLessThan(0.05);
});

test('whether float32 suffices is decided from extents', () => {
  expect(blurs([1e7, 1e7, 1e7 + 10, 1e7 + 10], 400)).toBe(true);
  expect(blurs([0, 0, 1e7, 1e7], 400)).toBe(false);
  expect(blurs([2000, 3000, 20000, 24000], 1_000_000)).toBe(false);
});

test('sums have no more decimal places than either number', () => {
  expect(plain(0.1, 1e7)).toBe(10000000.1);
  expect(plain(-0.3, 1e7)).toBe(9999999.7);
  expect(plain(2.5e-7, 3)).toBe(3.00000025);
  expect(plain(0.1, 0)).toBe(0.1);
  expect(plain(Number.NaN, 5)).toBeNaN();
});

test('a camera converted to the origin and back is unchanged', () => {
  const camera = { x: 1e7 + 3.25, y: -2e7, zoom: 4 };
  expect(cameraAt([1e7, -2e7], cameraFrom([1e7, -2e7], camera))).toEqual(camera);
});
