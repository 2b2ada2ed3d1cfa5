import { describe, expect, test } from 'vitest';
import { fitCamera, fitOf, project, UPRIGHT, viewOf } from './camera';
import { diameterAt, pointSizeOf } from './point-size';

test.each([
  ['few cells, whose discs have the largest size', null],
  ['spots of a known diameter', 30],
  ['spots as large as the tissue', 100],
])('all discs are inside the window after fitting: %s', (_, spotDiameter) => {
  const coords = Float32Array.of(0, 0, 100, 50, 50, 25, 0, 50);
  const extent = [0, 0, 100, 50] as const;
  const size = pointSizeOf({ coords, extent, spotDiameter });
  for (const [width, height] of [
    [1040, 860],
    [400, 270],
    [300, 700],
  ] as const) {
    const viewport = { width, height, cards: [[12, 12, 60, 200] as const] };
    const fit = fitOf(extent, viewport, UPRIGHT, size);
    const view = viewOf(fitCamera(extent), extent, viewport, 'down', UPRIGHT, fit);
    const radius = diameterAt(size, view.scale, 1) / 2;
    for (let cell = 0; cell < 4; cell++) {
      const [x, y] = project(view, coords[2 * cell] ?? 0, coords[2 * cell + 1] ?? 0);
      expect(Math.min(x, y, width - x, height - y)).toBeGreaterThan(radius + 3.9);
    }
  }
});

test('small points do not change how cells are fitted', () => {
  const extent = [0, 0, 100, 50] as const;
  const viewport = { width: 1040, height: 860 };
  expect(fitOf(extent, viewport, UPRIGHT, { units: 1, most: 48, room: 0 })).toEqual(
    fitOf(extent, viewport, UPRIGHT),
  );
});

describe('points of a known diameter', () => {
  const extent = [0, 0, 100, 100] as const;
  /** A grid of points 10 units apart. */
  const coords = Float32Array.from({ length: 242 }, (_, i) =>
    i % 2 === 0 ? 10 * ((i / 2) % 11) : 10 * Math.floor(i / 22),
  );

  test('are large enough to show their color where neighbors leave room', () => {
    const size = pointSizeOf({ coords, extent, spotDiameter: 1 });
    expect(diameterAt(size, 1, 1)).toBe(5);
    expect(diameterAt(size, 1, 0.5)).toBe(2.5);
  });

  test('are larger where their neighbors are far apart, up to a limit', () => {
    const size = pointSizeOf({ coords, extent, spotDiameter: 0.1 });
    expect(diameterAt(size, 2, 1)).toBeGreaterThan(6);
    expect(diameterAt(size, 20, 1)).toBe(9);
  });

  test('leave a gap to their neighbors', () => {
    const size = pointSizeOf({ coords, extent, spotDiameter: 1 });
    expect(diameterAt(size, 0.5, 1)).toBeLessThan(0.8 * 10 * 0.5);
  });

  test.each([
    [10, 1, 'zoomed in'],
    [2, 7, 'large'],
  ])('have their diameter at scale %d for %d units: %s', (scale, spotDiameter) => {
    const size = pointSizeOf({ coords, extent, spotDiameter });
    expect(diameterAt(size, scale, 1)).toBe(spotDiameter * scale);
  });
});
