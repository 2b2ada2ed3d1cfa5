import { describe, expect, test } from 'vitest';
import { ascending, packBits, packPlaces, placesIn, unpackBits } from './bits';
import { buildGrid } from './grid-index';
import { cellsInPolygon, cellsInRectangle, isInPolygon } from './polygon';

/** Returns a seeded generator of numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function scattered(cells: number, seed = 1): Float32Array {
  const next = generator(seed);
  return Float32Array.from({ length: 2 * cells }, () => next() * 100);
}

/** Returns an irregular closed line, which crosses itself if `turns` is more than 1. */
function lasso(corners: number, radius: number, turns = 1, seed = 7): number[] {
  const next = generator(seed);
  return Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * turns * i) / corners;
    const r = radius * (0.7 + 0.6 * next());
    return [50 + r * Math.cos(angle), 50 + r * Math.sin(angle)];
  }).flat();
}

const sorted = (cells: Uint32Array) => [...cells].sort((a, b) => a - b);
const extent = [0, 0, 100, 100] as const;

function byBruteForce(coords: Float32Array, inside: (x: number, y: number) => boolean): number[] {
  const found: number[] = [];
  for (let i = 0; i < coords.length / 2; i++) {
    if (inside(coords[2 * i] ?? 0, coords[2 * i + 1] ?? 0)) found.push(i);
  }
  return found;
}

describe('cells in a polygon', () => {
  const coords = scattered(5000);
  const grid = buildGrid(coords, extent);

  test.each([
    ['a triangle', [10, 10, 90, 20, 30, 80]],
    ['a lasso', lasso(200, 30)],
    ['a lasso that crosses itself', lasso(90, 45, 2)],
    ['a rectangle beyond the tissue', [-50, -50, 150, -50, 150, 50, -50, 50]],
    ['a polygon with horizontal and vertical edges', [20, 20, 80, 20, 80, 60, 50, 60, 50, 80, 20, 80]],
    ['a polygon thinner than a grid square', [0, 50, 100, 50.4, 100, 50.5, 0, 50.1]],
  ])('%s contains the same cells as a brute-force test', (_, points) => {
    const wanted = byBruteForce(coords, (x, y) => isInPolygon(points, x, y));
    expect(sorted(cellsInPolygon(grid, points))).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(0);
  });

  test('cells on a lattice are found with polygon edges on grid lines', () => {
    const lattice = Float32Array.from({ length: 20000 }, (_, i) =>
      i % 2 ? Math.floor(i / 200) : (i >> 1) % 100,
    );
    const index = buildGrid(lattice, [0, 0, 99, 99]);
    for (const at of [index.side, index.side * 3, 17, 17.5]) {
      const points = [at, at, 70, at, 70, 70, at, 70];
      const wanted = byBruteForce(lattice, (x, y) => isInPolygon(points, x, y));
      expect(sorted(cellsInPolygon(index, points))).toEqual(wanted);
    }
  });

  test('cells that are not accepted are excluded, even from squares inside the polygon', () => {
    const points = lasso(50, 40);
    const even = cellsInPolygon(grid, points, (cell) => cell % 2 === 0);
    expect(sorted(even)).toEqual(sorted(cellsInPolygon(grid, points)).filter((cell) => cell % 2 === 0));
  });

  test('a polygon with fewer than three corners is empty, and cells without coordinates are never inside', () => {
    expect(cellsInPolygon(grid, [0, 0, 100, 100])).toHaveLength(0);
    expect(cellsInPolygon(grid, [200, 200, 300, 200, 300, 300])).toHaveLength(0);
    const gap = buildGrid(Float32Array.from([1, 1, Number.NaN, 1, 2, 2]), [1, 1, 2, 2]);
    expect(sorted(cellsInPolygon(gap, [0, 0, 9, 0, 9, 9, 0, 9]))).toEqual([0, 2]);
  });

  test('many cells inside a polygon with 200 corners are found once each', () => {
    const many = scattered(1_000_000, 3);
    const index = buildGrid(many, extent);
    const points = lasso(200, 28);
    const found = cellsInPolygon(index, points);
    expect(found.length).toBeGreaterThan(200_000);
    expect(new Set(found).size).toBe(found.length);
  });
});

test.each([
  [10, 20, 60, 80],
  [50, 50, 50.2, 90],
  [-10, -10, 200, 200],
  [49.9, 10, 50, 10.1],
])('the rectangle %d %d %d %d contains the same cells as a brute-force test', (x0, y0, x1, y1) => {
  const coords = scattered(5000);
  const grid = buildGrid(coords, extent);
  const wanted = byBruteForce(coords, (x, y) => x >= x0 && x <= x1 && y >= y0 && y <= y1);
  expect(sorted(cellsInRectangle(grid, [x0, y0, x1, y1]))).toEqual(wanted);
  const third = (cell: number) => cell % 3 === 0;
  expect(sorted(cellsInRectangle(grid, [x0, y0, x1, y1], third))).toEqual(wanted.filter(third));
});

test('flags survive packing to bits, lowest first, and unpacking', () => {
  const mask = Uint8Array.from([1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0]);
  expect([...packBits(mask)]).toEqual([0b10001001, 0b10]);
  expect(unpackBits(packBits(mask), mask.length)).toEqual(mask);
  const places = placesIn(packBits(mask), mask.length);
  expect([...places]).toEqual([...mask.keys()].filter((at) => mask[at]));
  expect(packPlaces(places, mask.length)).toEqual(packBits(mask));
  // Padding bits after the last flag are ignored.
  expect([...placesIn(Uint8Array.of(0xff, 0xff), 10)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(packBits(Uint8Array.from([7]))).toEqual(Uint8Array.from([1]));
  expect(packBits(new Uint8Array(0))).toHaveLength(0);
  expect([...ascending(Uint32Array.of(3, 1, 3, 0))]).toEqual([0, 1, 3]);
  expect(ascending(places)).toBe(places);
});
