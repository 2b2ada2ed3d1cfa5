import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { boxCamera, fitCamera, panned, project, UPRIGHT, unproject, viewOf, zoomedAt } from './camera';
import { cssColor, parseColor, parseCssColor, safeColor } from './color';
import { COLORMAPS, colorAt, colorScale, rampOf } from './colormap';
import { crc32 } from './crc32';
import { forEachCsvRow } from './csv';
import { Disposer } from './disposer';
import {
  formatBytes,
  formatCount,
  formatDifference,
  formatExact,
  formatRatio,
  formatShare,
  formatValue,
  formatWithin,
} from './format';
import { buildGrid, nearestCell, typicalSpacing } from './grid-index';
import { isInside } from './path';
import { quantile } from './quantile';

describe('camera', () => {
  const extent = [0, 0, 100, 50] as const;
  const viewport = { width: 400, height: 300 };

  test.each(['down', 'up'] as const)('unproject inverts project, y %s', (yAxis) => {
    const view = viewOf({ x: 10, y: 20, zoom: 3 }, extent, viewport, yAxis);
    const [px, py] = project(view, 33, 44);
    const [x, y] = unproject(view, px, py);
    expect(x).toBeCloseTo(33);
    expect(y).toBeCloseTo(44);
  });

  test('y follows the y axis of the data', () => {
    const at = (yAxis: 'down' | 'up') =>
      project(viewOf(fitCamera(extent), extent, viewport, yAxis), 0, 50)[1];
    expect(at('down')).toBeGreaterThan(150);
    expect(at('up')).toBeLessThan(150);
  });

  test('zoom 1 fits all cells, even a single one', () => {
    const view = viewOf(fitCamera(extent), extent, viewport, 'down');
    const [left, top] = project(view, 0, 0);
    expect(left).toBeGreaterThan(0);
    expect(top).toBeGreaterThan(0);
    const single = [5, 5, 5, 5] as const;
    expect(project(viewOf(fitCamera(single), single, viewport, 'down'), 5, 5)).toEqual([200, 150]);
  });

  test.each([
    [0, false, [60, 30]],
    [90, false, [-30, 60]],
    [180, false, [-60, -30]],
    [270, false, [30, -60]],
    [90, true, [30, 60]],
    [180, true, [60, -30]],
  ] as const)('rotation by %d°, mirrored %s', (turn, flip, [right, down]) => {
    for (const yAxis of ['down', 'up'] as const) {
      const orientation = { turn, flip };
      const view = viewOf({ x: 50, y: 25, zoom: 1 }, extent, viewport, yAxis, orientation);
      const up = yAxis === 'up' ? -1 : 1;
      const [px, py] = project(view, 50 + 60 / view.scale, 25 + (30 / view.scale) * up);
      expect(px).toBeCloseTo(200 + right);
      expect(py).toBeCloseTo(150 + down);
      const back = unproject(view, px, py);
      expect(back[0]).toBeCloseTo(50 + 60 / view.scale);
      expect(back[1]).toBeCloseTo(25 + (30 / view.scale) * up);
      // All corners are in view, and a drag follows the pointer.
      for (const [x, y] of [
        [0, 0],
        [100, 0],
        [0, 50],
        [100, 50],
      ] as const) {
        const [cx, cy] = project(view, x, y);
        expect(cx > 0 && cx < 400 && cy > 0 && cy < 300).toBe(true);
      }
      const moved = panned({ x: 50, y: 25, zoom: 1 }, view, 7, -3);
      const after = project(viewOf(moved, extent, viewport, yAxis, orientation), ...back);
      expect([after[0] - px, after[1] - py].map((value) => Math.round(value))).toEqual([7, -3]);
      // The requested box fills the window in one direction.
      const box = boxCamera([10, 10, 50, 20], extent, viewport, yAxis, orientation);
      const seen = viewOf(box, extent, viewport, yAxis, orientation);
      const [a, b] = [project(seen, 10, 10), project(seen, 50, 20)];
      const fills = Math.max(Math.abs(a[0] - b[0]) / 400, Math.abs(a[1] - b[1]) / 300);
      expect(fills).toBeCloseTo(1);
    }
  });

  test('cells are fitted between the cards, as large and as near to the middle as possible', () => {
    const fitted = (width: number, height: number, cards: (readonly [number, number, number, number])[]) => {
      const view = viewOf(fitCamera(extent), extent, { width, height, cards }, 'up');
      const [[left, bottom], [right, top]] = [project(view, 0, 0), project(view, 100, 50)];
      return { left, top, right, bottom, scale: view.scale };
    };
    const title = [12, 12, 200, 50] as const;
    const tools = [12, 60, 50, 230] as const;
    const bar = [12, 350, 154, 388] as const;
    for (const [width, height] of [
      [400, 400],
      [500, 380],
      [900, 400],
      [300, 700],
    ] as const) {
      const cards = [title, tools, bar];
      const { left, top, right, bottom, scale } = fitted(width, height, cards);
      for (const [x0, y0, x1, y1] of cards)
        expect(x0 < right && x1 > left && y0 < bottom && y1 > top).toBe(false);
      expect(Math.min(left, top, width - right, height - bottom)).toBeGreaterThan(8);
      expect(scale).toBeGreaterThan(fitted(width, height, []).scale * 0.7);
    }
    // A wide window has room in the middle; a card at the left moves the cells only as far as needed.
    const wide = fitted(1600, 400, [tools]);
    expect((wide.left + wide.right) / 2).toBeCloseTo(800);
    const narrow = fitted(400, 400, [[0, 0, 100, 400]]);
    expect(narrow.left).toBeCloseTo(100 + 12);
    expect(narrow.right).toBeCloseTo(400 - 12);
    // Cards that leave no room are ignored.
    expect(fitted(100, 100, [[10, 10, 90, 90]])).toEqual(fitted(100, 100, []));
    // A requested box is centered in the whole window, and zooming keeps the coordinate under the pointer.
    const viewport = { width: 400, height: 400, cards: [[0, 0, 100, 400] as const] };
    for (const orientation of [UPRIGHT, { turn: 90, flip: true } as const]) {
      const camera = boxCamera([10, 10, 30, 20], extent, viewport, 'up', orientation);
      const view = viewOf(camera, extent, viewport, 'up', orientation);
      const [x, y] = project(view, 20, 15);
      expect([x, y].map(Math.round)).toEqual([200, 200]);
      const zoomed = zoomedAt(camera, view, 3, 90, 70);
      const after = unproject(viewOf(zoomed, extent, viewport, 'up', orientation), 90, 70);
      const before = unproject(view, 90, 70);
      expect(after[0]).toBeCloseTo(before[0]);
      expect(after[1]).toBeCloseTo(before[1]);
    }
  });

  test('zoom keeps the coordinate under the pointer, and a drag follows the pointer', () => {
    const camera = fitCamera(extent);
    const view = viewOf(camera, extent, viewport, 'up');
    const before = unproject(view, 50, 60);
    const after = unproject(viewOf(zoomedAt(camera, view, 4, 50, 60), extent, viewport, 'up'), 50, 60);
    expect(after[0]).toBeCloseTo(before[0]);
    expect(after[1]).toBeCloseTo(before[1]);
    const moved = viewOf(panned(camera, view, 10, -5), extent, viewport, 'up');
    const [px, py] = project(moved, ...before);
    expect([px, py].map(Math.round)).toEqual([60, 55]);
  });
});

describe('grid', () => {
  const coords = Float32Array.from({ length: 2000 }, (_, i) => (i * 7919) % 997);
  const extent = [0, 0, 996, 996] as const;

  test('finds the same nearest cell as a brute-force search', () => {
    const grid = buildGrid(coords, extent);
    for (let k = 0; k < 200; k++) {
      const [x, y] = [(k * 31) % 996, (k * 57) % 996];
      let best = Infinity;
      for (let i = 0; i < 1000; i++) {
        best = Math.min(best, Math.hypot((coords[2 * i] ?? 0) - x, (coords[2 * i + 1] ?? 0) - y));
      }
      const cell = nearestCell(grid, x, y, 80, () => true);
      const found =
        cell < 0 ? Infinity : Math.hypot((coords[2 * cell] ?? 0) - x, (coords[2 * cell + 1] ?? 0) - y);
      expect(found).toBeCloseTo(best <= 80 ? best : Infinity);
    }
  });

  test('skips cells that are not accepted or have no coordinates', () => {
    // float32 rounds -4.9 down, below the extent, which has more digits.
    const low = buildGrid(Float32Array.from([-4.9, -4.9, 3, 3]), [-4.8999999994, -4.8999999994, 3, 3]);
    expect(nearestCell(low, -4.9, -4.9, 1, () => true)).toBe(0);
    const grid = buildGrid(Float32Array.from([0, 0, Number.NaN, 1, 2, 2]), [0, 0, 2, 2]);
    expect(nearestCell(grid, 0, 0, 1, () => true)).toBe(0);
    expect(nearestCell(grid, 0, 0, 5, (cell) => cell !== 0)).toBe(2);
    expect(nearestCell(grid, 50, 50, 1, () => true)).toBe(-1);
  });

  test('the typical spacing of a square lattice is its pitch', () => {
    const lattice = Float32Array.from({ length: 20000 }, (_, i) =>
      i % 2 ? Math.floor(i / 200) : (i >> 1) % 100,
    );
    expect(typicalSpacing(lattice, [0, 0, 99, 99])).toBeCloseTo(1, 1);
  });

  test('cells without coordinates, such as those of other sections, do not affect the spacing', () => {
    const gap = new Float32Array(180_000).fill(Number.NaN);
    const lattice = Float32Array.from({ length: 20_000 }, (_, i) =>
      i % 2 ? Math.floor(i / 200) : (i >> 1) % 100,
    );
    const mixed = new Float32Array([...gap, ...lattice]);
    expect(typicalSpacing(mixed, [0, 0, 99, 99])).toBe(typicalSpacing(lattice, [0, 0, 99, 99]));
    expect(typicalSpacing(gap, [0, 0, 99, 99])).toBe(99);
  });

  test('a few cells in groups have the spacing within their groups', () => {
    // Four groups of nine cells, one unit apart, at the corners of a square of 100 units.
    const groups = Float32Array.from({ length: 72 }, (_, i) => {
      const [group, cell] = [Math.floor(i / 18), (i >> 1) % 9];
      return i % 2 ? (group >> 1) * 98 + Math.floor(cell / 3) : (group & 1) * 98 + (cell % 3);
    });
    const spacing = typicalSpacing(groups, [0, 0, 100, 100]);
    expect(spacing).toBeGreaterThan(0.8);
    expect(spacing).toBeLessThan(1.5);
    const others = new Float32Array(2000).fill(Number.NaN);
    expect(typicalSpacing(new Float32Array([...others, ...groups]), [0, 0, 100, 100])).toBe(spacing);
  });

  test('a few cells at the same points have the spacing of the points', () => {
    const corners = Float32Array.from({ length: 80 }, (_, i) => (i % 2 ? (i >> 3) & 1 : (i >> 2) & 1) * 100);
    expect(typicalSpacing(corners, [0, 0, 100, 100])).toBeGreaterThan(10);
  });
});

test('crc32 matches zlib for any length, also if computed in parts', () => {
  const bytes = Uint8Array.from({ length: 50 }, (_, i) => (i * 7919) % 251);
  for (let cut = 0; cut <= 50; cut++) {
    expect(crc32(bytes.subarray(0, cut))).toBe(zlibCrc32(bytes.subarray(0, cut)));
    expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(zlibCrc32(bytes));
  }
});

test('csv: quotes, commas, line breaks and empty fields are parsed', () => {
  const rows: string[][] = [];
  forEachCsvRow('a,b\r\n"x, ""y""\nz",\n1,2', (fields) => rows.push([...fields]));
  expect(rows).toEqual([
    ['a', 'b'],
    ['x, "y"\nz', ''],
    ['1', '2'],
  ]);
});

test('csv: a blank line is skipped, a quoted empty field is a record', () => {
  const rows: string[][] = [];
  forEachCsvRow('a\n""\n\nb\r\n\r\n""\n', (fields) => rows.push([...fields]));
  expect(rows).toEqual([['a'], [''], ['b'], ['']]);
});

test('a size is rounded in the unit that it is shown in', () => {
  expect([0, 1, 999].map(formatBytes)).toEqual(['0 bytes', '1 byte', '999 bytes']);
  expect([1000, 999_499].map(formatBytes)).toEqual(['1 kB', '999 kB']);
  expect([999_500, 999_999, 999_949_999].map(formatBytes)).toEqual(['1.0 MB', '1.0 MB', '999.9 MB']);
  expect(formatBytes(999_950_000)).toBe('1.0 GB');
});

test('quantile interpolates between neighbors', () => {
  const values = () => Float32Array.from([5, 1, 4, 2, 3]);
  expect(quantile(values(), 0)).toBe(1);
  expect(quantile(values(), 0.5)).toBe(3);
  expect(quantile(values(), 0.99)).toBeCloseTo(4.96, 5);
  expect(quantile(values(), 1)).toBe(5);
  expect(quantile(new Float32Array(0), 0.5)).toBe(0);
  // numpy.percentile(values, 99), as the exporter computes the summary of a gene.
  expect(
    quantile(
      Float32Array.from({ length: 10 }, (_, i) => i * i),
      0.99,
    ),
  ).toBeCloseTo(79.47, 10);
});

test('colors are parsed and formatted', () => {
  expect(parseColor('#fff')).toEqual([255, 255, 255]);
  expect(parseColor('#102030ff')).toEqual([16, 32, 48]);
  expect(parseColor('url(evil)')).toEqual([180, 186, 195]);
  expect(['#A1f', '#a1f8', '#aa11ff', '#aa11ff80'].map(safeColor)).toEqual(new Array(4).fill('#aa11ff'));
  expect([safeColor('#102030'), safeColor('url(evil)'), safeColor(7)]).toEqual([
    '#102030',
    '#b4bac3',
    '#b4bac3',
  ]);
  expect(parseCssColor('rgb(14, 17, 22)')).toEqual([14, 17, 22]);
  expect(parseCssColor('rgba(0, 0, 0, 0)')).toBeNull();
  expect(cssColor(colorAt('viridis', 0))).toBe('rgb(68, 1, 84)');
  expect(colorAt('viridis', 2)).toEqual([253, 231, 37]);
  expect([...rampOf('viridis', false).subarray(0, 4)]).toEqual([68, 1, 84, 255]);
  expect([...rampOf('viridis', true).subarray(0, 4)]).toEqual([253, 231, 37, 255]);
});

test('colormaps span the range and match known colors', () => {
  for (const map of COLORMAPS) expect(colorAt(map, 0)).not.toEqual(colorAt(map, 1));
  // Matplotlib's color at 0.2, within the rounding of sixteen stops.
  expect(colorAt('magma', 0.2)).toEqual([59, 15, 112]);
  const scale = colorScale({ map: 'greys', reversed: false, log: true, range: [0, 99] });
  expect(scale.share(9)).toBeCloseTo(0.5);
  expect(scale.share(-1)).toBe(0);
  expect(scale.css(500)).toBe(cssColor(colorAt('greys', 1)));
  const reversed = colorScale({ map: 'greys', reversed: true, log: false, range: [0, 1] });
  expect(reversed.css(1)).toBe(cssColor(colorAt('greys', 0)));
  const signed = colorScale({ map: 'rdbu', reversed: false, log: true, range: [-9, 9] });
  expect(signed.share(0)).toBeCloseTo(0.5);
  expect(colorScale({ map: 'rdbu', reversed: false, log: false, range: [3, 3] }).share(3)).toBe(0);
});

test('counts and values are formatted', () => {
  expect(formatCount(1234567)).toBe('1,234,567');
  expect([0, 2.305, 8412.4, 0.00001, Number.NaN].map(formatValue)).toEqual([
    '0',
    '2.31',
    '8,412',
    '1.00e-5',
    'no value',
  ]);
});

test.each([
  [0, '0%'],
  [1e-12, '< 0.1%'],
  [0.000999, '< 0.1%'],
  [0.001, '0.1%'],
  [0.05, '5.0%'],
  [0.0996, '10%'],
  [0.777, '78%'],
  [0.9884, '99%'],
  [0.995, '99.5%'],
  [999 / 1000, '99.9%'],
  [9991 / 10000, '> 99.9%'],
  [1 - 1e-12, '> 99.9%'],
  [1, '100%'],
  [Number.NaN, '–'],
])('the fraction %d is formatted as %s', (share, text) => {
  expect(formatShare(share)).toBe(text);
});

test('only all cells are 100% and only none are 0%, for any number of cells', () => {
  for (const total of [1, 7, 150, 999, 1000, 1001, 4603, 1_000_000]) {
    const texts = [0, 1, total - 1, total].map((count) => [count, formatShare(count / total)] as const);
    for (const [count, text] of texts) {
      expect(text === '0%').toBe(count === 0);
      expect(text === '100%').toBe(count === total);
    }
  }
});

test('ratios and differences of means are formatted', () => {
  expect([Number.NaN, 0, 0.04, 0.95, 14.6, Infinity].map(formatRatio)).toEqual([
    '–',
    '0×',
    '<0.1×',
    '0.9×',
    '15×',
    '∞',
  ]);
  expect([0.5, -1.25, 0, Number.NaN].map(formatDifference)).toEqual(['+0.50', '−1.25', '0', '–']);
});

test('exact numbers keep all digits of integers and of float64', () => {
  expect(formatExact(16_777_217, false)).toBe('16,777,217');
  expect(formatExact(1_600_000_001, false)).toBe('1,600,000,001');
  expect(formatExact(2 ** 60, true)).toBe('1,152,921,504,606,846,976');
  expect(formatExact(-0, true)).toBe('0');
  expect(formatExact(-1_234.000_000_1, true)).toBe('-1,234.0000001');
  expect(formatExact(-0.5, true)).toBe('-0.5');
  expect(formatExact(1e-60, true)).toBe('1e-60');
  expect(formatExact(1.5e-60, true)).toBe('1.5e-60');
  expect(formatExact(0.123456, false)).toBe('0.12');
  expect(formatExact(Number.NaN, true)).toBe('no value');
});

test('values of a narrow range far from zero stay distinguishable', () => {
  expect([1_600_000_000, 1_600_000_060].map((value) => formatWithin(value, 60))).toEqual([
    '1,600,000,000',
    '1,600,000,060',
  ]);
  expect(formatWithin(100.0012, 0.002)).toBe('100.0012');
  expect(formatWithin(8412.4, 9000)).toBe('8,412');
  expect(formatWithin(5, 0)).toBe('5');
});

test('only relative paths inside the bundle are accepted', () => {
  expect(['a/b.gz', 'a..b/c'].every(isInside)).toBe(true);
  expect(['', '/a', '../a', 'a/../b', 'C:/x', 'a\\b', './a'].some(isInside)).toBe(false);
});

test('the disposer releases once, in reverse order, and immediately if already disposed', () => {
  const order: number[] = [];
  const disposer = new Disposer();
  disposer.add(() => order.push(1));
  disposer.add(() => order.push(2));
  disposer.dispose();
  disposer.dispose();
  disposer.add(() => order.push(3));
  expect(order).toEqual([2, 1, 3]);
});
