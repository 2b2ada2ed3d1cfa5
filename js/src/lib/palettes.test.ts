import { describe, expect, test } from 'vitest';
import { CATEGORY_PALETTES, MISSING_COLOR, paletteColor, parseColor } from './color';

type Vector = readonly [number, number, number];

const multiply = (rows: readonly Vector[], [a, b, c]: Vector): Vector => {
  const [x, y, z] = rows.map((row) => row[0] * a + row[1] * b + row[2] * c);
  return [x ?? 0, y ?? 0, z ?? 0];
};

const linear = (hex: string): Vector => {
  const [r, g, b] = parseColor(hex).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return [r ?? 0, g ?? 0, b ?? 0];
};

/** Converts linear sRGB to Björn Ottosson's OKLab. */
const oklab = (rgb: Vector): Vector => {
  const [l, m, s] = multiply(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb,
  ).map((value) => Math.cbrt(Math.max(0, value)));
  return multiply(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    [l ?? 0, m ?? 0, s ?? 0],
  );
};

/** Color vision deficiency matrices of Machado, Oliveira and Fernandes 2009, severity 1, on linear sRGB. */
const EYES: Record<string, readonly Vector[]> = {
  trichromat: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranope: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanope: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
};

function leastDistance(colors: readonly string[], eye: readonly Vector[]): number {
  const seen = colors.map((color) => oklab(multiply(eye, linear(color))));
  let least = Infinity;
  seen.forEach((color, index) => {
    for (const other of seen.slice(0, index))
      least = Math.min(least, Math.hypot(color[0] - other[0], color[1] - other[1], color[2] - other[2]));
  });
  return least;
}

const { trichromat = [] } = EYES;

// The just noticeable difference is about 0.02.
describe('category palettes', () => {
  test.each([
    [10, 0.1],
    [20, 0.1],
    [100, 0.055],
  ])('the first %i distinct colors are at least %f apart in OKLab', (count, least) => {
    const colors = CATEGORY_PALETTES.distinct.slice(0, count);
    expect(new Set(colors).size).toBe(count);
    expect(leastDistance(colors, trichromat)).toBeGreaterThan(least);
    expect(leastDistance([...colors, MISSING_COLOR], trichromat)).toBeGreaterThan(least);
  });

  test.each(Object.keys(EYES))('the color-blind safe palette stays distinct for a %s', (eye) => {
    const at = (count: number) => leastDistance(CATEGORY_PALETTES.safe.slice(0, count), EYES[eye] ?? []);
    expect(at(10)).toBeGreaterThan(0.07);
    expect(at(20)).toBeGreaterThan(0.06);
    expect(at(100)).toBeGreaterThan(0.02);
  });

  test('the default palette is not color-blind safe, so the measure is meaningful', () => {
    expect(leastDistance(CATEGORY_PALETTES.distinct.slice(0, 20), EYES.deuteranope ?? [])).toBeLessThan(0.03);
  });
});

test('colors beyond the hundredth category match those of the exporter', () => {
  const further = [100, 101, 102, 103, 104, 105, 106, 299].map((index) => paletteColor(index));
  expect(further.join(' ')).toBe('#ae6029 #7669d3 #a8e89c #a63066 #62bcda #e3e1a0 #8229ae #d38e69');
  expect(paletteColor(100, 'safe')).toBe('#ae6029');
});
