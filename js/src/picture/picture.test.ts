import { describe, expect, test } from 'vitest';
import type { Rgb } from '../lib/color';
import { scaleBar } from '../lib/scale-bar';
import { createModel } from '../state/model';
import { fileName } from './file-name';
import { type Contents, layoutPicture, type Pane, type PictureLayout } from './layout';
import { type Entry, type Legend, legendOf } from './legend';
import type { Measure, TextMark } from './marks';
import { LIGHT } from './palette';
import { escapeXml, svgOf } from './svg';

const measure: Measure = (text, size) => Array.from(text).length * size * 0.55;
const HOSTILE = '<script>alert("x")</script>, π 🧬\nline';
const RED: Rgb = [255, 0, 0];

const categories = (names: readonly string[]): Legend => ({
  kind: 'categories',
  label: 'cell_type',
  entries: names.map((name): Entry => ({ name, color: RED })),
});
const pane = (change: Partial<Pane> = {}): Pane => ({
  width: 1040,
  height: 860,
  scaleBar: { width: 100, label: '500 µm' },
  axes: null,
  labels: [],
  titles: [],
  ...change,
});
const contents = (change: Partial<Contents> = {}): Contents => ({
  panes: [pane()],
  title: { name: 'Placenta', about: '3,000 cells' },
  legend: categories(['A', 'B']),
  transparent: false,
  palette: LIGHT,
  ...change,
});
const textsOf = (layout: PictureLayout) =>
  layout.marks.filter((mark): mark is TextMark => mark.kind === 'text');
const wordsOf = (layout: PictureLayout) => textsOf(layout).map(({ text }) => text);

describe('layout', () => {
  test('the tissue keeps its size; title and legend are added around it', () => {
    const layout = layoutPicture(contents(), measure);
    const tissue = layout.marks.find(({ kind }) => kind === 'tissue');
    expect(tissue).toMatchObject({ x: 0, width: 1040, height: 860 });
    expect(layout.width).toBeGreaterThan(1040);
    expect(layout.height).toBeGreaterThan(860);
    expect(wordsOf(layout)).toEqual(['500 µm', 'Placenta', '3,000 cells', 'cell_type', 'A', 'B']);
  });

  test('a count that does not fit next to the name is moved below it', () => {
    const about = '4,603 of 9,233 cells have coordinates in UMAP';
    const narrow = layoutPicture(
      contents({
        title: { name: 'A long name of a dataset', about },
        panes: [pane({ width: 340 })],
        legend: null,
      }),
      measure,
    );
    expect(wordsOf(narrow)).toContain(about);
    const [name, count] = textsOf(narrow).slice(-2);
    expect(count?.y).toBeGreaterThan(name?.y ?? 0);
    expect(count?.x).toBe(name?.x);
  });

  test('limits with many digits do not overlap', () => {
    const legend: Legend = {
      kind: 'values',
      label: 'area',
      colors: [RED],
      limits: ['≤ -50,878,131', '≥ 123,456,789'],
      note: null,
      entries: [],
    };
    const [low, high] = textsOf(layoutPicture(contents({ legend }), measure)).slice(-2);
    const end = (low?.x ?? 0) + measure(low?.text ?? '', 12, 400);
    expect(end).toBeLessThan((high?.x ?? 0) - measure(high?.text ?? '', 12, 400));
  });

  test('omitted parts take no room', () => {
    const layout = layoutPicture(
      contents({ title: null, legend: null, panes: [pane({ scaleBar: null })] }),
      measure,
    );
    expect([layout.width, layout.height]).toEqual([1040, 860]);
    expect(wordsOf(layout)).toEqual([]);
  });

  test('an embedding has axes instead of a scale bar', () => {
    const { marks, ...layout } = layoutPicture(
      contents({ panes: [pane({ scaleBar: null, axes: 'UMAP' })] }),
      measure,
    );
    expect(wordsOf({ marks, ...layout })).toEqual(expect.arrayContaining(['UMAP 1', 'UMAP 2']));
    const points = marks.flatMap((mark) =>
      mark.kind === 'line' && mark.paint.color === LIGHT.ink ? mark.points : [],
    );
    expect(points.length).toBe(9);
    for (const [x, y] of points) {
      expect(x).toBeGreaterThan(12);
      expect(y).toBeLessThan(layout.height - 12);
    }
    const narrow = layoutPicture(
      contents({ panes: [pane({ width: 120, scaleBar: null, axes: 'x'.repeat(99) })] }),
      measure,
    );
    expect(textsOf(narrow).some(({ text }) => text.includes('…'))).toBe(true);
  });

  test('a transparent picture has no background', () => {
    const solid = layoutPicture(contents({ panes: [pane({ scaleBar: null })] }), measure);
    const clear = layoutPicture(contents({ panes: [pane({ scaleBar: null })], transparent: true }), measure);
    expect(solid.marks.some(({ kind }) => kind === 'rect')).toBe(true);
    expect(clear.marks.map(({ kind }) => kind)).not.toContain('rect');
    expect([clear.width, clear.height]).toEqual([solid.width, solid.height]);
  });

  test.each([
    [400, 254],
    [980, 470],
    [1040, 860],
  ])(
    'next to %i × %i pixels of tissue, a legend lists 120 categories with long names in full',
    (width, height) => {
      const names = Array.from(
        { length: 120 },
        (_, i) => `${i} CD8-positive, alpha-beta memory T cell of the decidua`,
      );
      const layout = layoutPicture(
        contents({ panes: [pane({ width, height })], legend: categories(names) }),
        measure,
      );
      const dots = layout.marks.filter((mark) => mark.kind === 'dot');
      expect(dots).toHaveLength(120);
      const words = wordsOf(layout).slice(wordsOf(layout).indexOf('cell_type') + 1);
      expect(words.join(' ')).toBe(names.join(' '));
      const lines = textsOf(layout);
      for (const { x, y, text, size } of lines) {
        expect(y).toBeLessThanOrEqual(layout.height - 4);
        expect(x + measure(text, size, 400)).toBeLessThanOrEqual(layout.width);
      }
      // No two lines are in the same place.
      const places = new Set(lines.map(({ x, y }) => `${x} ${y}`));
      expect(places.size).toBe(lines.length);
      // Columns rather than one endless list.
      expect(new Set(dots.map(({ x }) => x)).size).toBeGreaterThan(1);
      expect(layout.height).toBeLessThan(Math.max(1000, height + 100));
    },
  );

  test('a legend lists at most 300 categories and counts the rest', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `category ${i}`);
    const words = wordsOf(layoutPicture(contents({ legend: categories(names) }), measure));
    expect(words.filter((word) => word.startsWith('category '))).toEqual(names.slice(0, 300));
    expect(words).toContain('… and 700 more');
  });

  test('a legend lists all categories if they fit', () => {
    const names = Array.from({ length: 36 }, (_, i) => `category ${i}`);
    const words = wordsOf(layoutPicture(contents({ legend: categories(names) }), measure));
    expect(words.filter((word) => word.startsWith('category '))).toHaveLength(36);
    expect(words.some((word) => word.includes('more'))).toBe(false);
  });

  test('two views are side by side, each with its own scale bar', () => {
    const panes = [pane(), pane({ width: 500, height: 400, scaleBar: null })];
    const layout = layoutPicture(contents({ panes, title: null, legend: null }), measure);
    const tissues = layout.marks.filter(({ kind }) => kind === 'tissue');
    expect(tissues).toMatchObject([
      { pane: 0, x: 0, width: 1040 },
      { pane: 1, x: 1040, width: 500, height: 400 },
    ]);
    expect([layout.width, layout.height]).toEqual([1540, 860]);
    expect(wordsOf(layout)).toEqual(['500 µm']);
    const svg = svgOf(layout, 'x', ['data:one', 'data:two']);
    expect(svg).toContain('xlink:href="data:two"');
  });

  test('section names are above the sections; names that the edge would cut are omitted', () => {
    const titles = [
      { x: 300, y: 100, width: 200, text: HOSTILE },
      { x: 5, y: 100, width: 200, text: 'at the edge' },
      { x: 300, y: 5, width: 200, text: 'above' },
      { x: 300, y: 300, width: 10, text: 'no room' },
    ];
    const layout = layoutPicture(
      contents({ panes: [pane({ titles, scaleBar: null })], title: null, legend: null }),
      measure,
    );
    expect(wordsOf(layout)).toHaveLength(1);
    expect(textsOf(layout)[0]).toMatchObject({ x: 300, anchor: 'middle' });
    expect(wordsOf(layout)[0]).toMatch(/^<script>/);
  });

  test('long names take several lines, and line breaks in names become spaces', () => {
    const long = 'Extravillous trophoblast, interstitial, of the anchoring villi in the first trimester';
    const word = 'x'.repeat(90);
    const legend = { ...categories([long, 'two\nlines\u0000', HOSTILE, word]), label: long };
    const layout = layoutPicture(contents({ legend }), measure);
    const words = wordsOf(layout);
    expect(words).toContain('two lines');
    expect(words.filter((line) => long.includes(line)).join(' ')).toBe(`${long} ${long}`);
    expect(words.filter((line) => /^x+$/.test(line)).join('')).toBe(word);
    expect(words.every((line) => !/[\n\r\0]/.test(line))).toBe(true);
    expect(layout.width - 1040).toBeLessThan(310);
    // A name as long as a text is truncated, with an ellipsis.
    const text = wordsOf(layoutPicture(contents({ legend: categories(['endless '.repeat(200)]) }), measure));
    expect(text.filter((line) => line.startsWith('endless'))).toHaveLength(8);
    expect(text.at(-1)).toMatch(/…$/);
  });

  test('the legend of values is a color ramp between the limits', () => {
    const legend: Legend = {
      kind: 'values',
      label: 'EPCAM',
      colors: [RED, [0, 0, 255]],
      limits: ['0', '≥ 2.76'],
      note: 'colors by log(1 + value)',
      entries: [{ name: 'no value', color: RED, quiet: true }],
    };
    const layout = layoutPicture(contents({ legend }), measure);
    const words = ['EPCAM', '0', '≥ 2.76', 'colors by log(1 + value)', 'no value'];
    expect(wordsOf(layout).slice(3, 8)).toEqual(words);
    expect(layout.marks.find(({ kind }) => kind === 'ramp')).toMatchObject({ colors: [RED, [0, 0, 255]] });
  });
});

describe('legend', () => {
  const model = createModel({ hidden: { kind: ['B'] } });
  model.loadedLayer.value = {
    kind: 'category',
    color: { kind: 'annotation', column: 'kind' },
    column: {
      kind: 'category',
      name: 'kind',
      categories: [
        { name: 'A', color: '"/><script>', count: 1 },
        { name: 'B', color: '#00ff00', count: 5 },
        { name: 'C', color: '#0000ff', count: 2 },
      ],
      missing: 1,
      codes: Uint8Array.from([0, 1, 1, 1, 1, 1, 2, 2, 3]),
    },
  };

  const ALL = [Uint32Array.from({ length: 9 }, (_, cell) => cell)];
  const shownCells = [Uint32Array.of(0, 6, 7, 8)];

  test('only categories with a drawn cell are listed, the largest first; an invalid color is gray', () => {
    expect(legendOf(model, shownCells)).toEqual({
      kind: 'categories',
      label: 'kind',
      entries: [
        { name: 'C', color: [0, 0, 255] },
        { name: 'A', color: [180, 186, 195] },
        { name: 'no value', color: [180, 186, 195], quiet: true },
      ],
    });
  });

  test('categories that are not isolated share one entry, in the gray of their cells', () => {
    const shown = createModel({ isolated: { kind: ['C'] } });
    shown.loadedLayer.value = model.loadedLayer.value;
    const [isolated, others, ...rest] = legendOf(shown, ALL)?.entries ?? [];
    expect(isolated).toEqual({ name: 'C', color: [0, 0, 255] });
    expect(others).toMatchObject({ name: '3 other categories, dimmed', quiet: true });
    expect(rest).toEqual([]);
    expect(others?.color.every((channel) => channel > 180)).toBe(true);
    shown.state.value = { ...shown.state.value, isolated: { kind: [null, 'A', 'B'] } };
    expect(legendOf(shown, ALL)?.entries.map(({ name }) => name)).toEqual([
      'B',
      'A',
      'no value',
      '1 other category, dimmed',
    ]);
  });

  test('categories are listed in the order of the panel', () => {
    const shown = createModel();
    shown.loadedLayer.value = model.loadedLayer.value;
    const names = () => legendOf(shown, ALL)?.entries.map(({ name }) => name);
    expect(names()).toEqual(['B', 'C', 'A', 'no value']);
    shown.state.value = { ...shown.state.value, classOrder: 'name' };
    expect(names()).toEqual(['A', 'B', 'C', 'no value']);
  });

  test('custom colors and palettes apply to the legend', () => {
    const shown = createModel({ classColors: { kind: { C: '#00ff00' } }, palette: 'safe' });
    shown.loadedLayer.value = model.loadedLayer.value;
    const legend = legendOf(shown, ALL);
    expect(legend?.entries.find(({ name }) => name === 'C')?.color).toEqual([0, 255, 0]);
    expect(legend?.entries.find(({ name }) => name === 'A')?.color).toEqual([0, 0x72, 0xb2]);
  });

  test('the legend marks values beyond the limits and lists zeros and missing values', () => {
    const values = Float32Array.from([-3, 0, 1, Number.NaN, 9]);
    const summary = { min: -3, max: 9, mean: 1.75, fraction: 0.75, lower: -3, upper: 5 };
    const shown = createModel({ dimZeros: true, scale: 'log1p', colormap: 'cividis' });
    shown.loadedLayer.value = {
      kind: 'value',
      color: { kind: 'gene', gene: 'g' },
      label: 'g',
      values,
      summary,
    };
    const legend = legendOf(shown, [Uint32Array.of(0, 1, 2, 3, 4)]);
    expect(legend).toMatchObject({ limits: ['-3', '≥ 5'], note: 'colors by log(1 + value)' });
    expect(legend?.entries.map(({ name }) => name)).toEqual(['zero', '1 cell without a value']);
    const [zero, missing] = legend?.entries ?? [];
    expect(zero?.color).not.toEqual(missing?.color);
    // The cell without a value is not drawn.
    expect(legendOf(shown, [Uint32Array.of(0, 1)])?.entries.map(({ name }) => name)).toEqual(['zero']);
  });

  test('the legend of two views lists what either draws and counts a missing value once', () => {
    const values = Float32Array.from([1, Number.NaN, Number.NaN, 2]);
    const summary = { min: 1, max: 2, mean: 1.5, fraction: 1, lower: 0, upper: 2 };
    const shown = createModel();
    shown.loadedLayer.value = {
      kind: 'value',
      color: { kind: 'gene', gene: 'g' },
      label: 'g',
      values,
      summary,
    };
    const windows = [Uint32Array.of(0, 1), Uint32Array.of(1, 2, 3)];
    expect(legendOf(shown, windows)?.entries.map(({ name }) => name)).toEqual(['2 cells without a value']);
    expect(legendOf(model, [Uint32Array.of(0), Uint32Array.of(8)])?.entries.map(({ name }) => name)).toEqual([
      'A',
      'no value',
    ]);
  });

  test('the legend of a blend counts the cells without a value of one of its genes', () => {
    const summary = { min: 0, max: 1, mean: 0.5, fraction: 1, lower: 0, upper: 1 };
    const part = (gene: string, values: number[]) => ({ gene, values: Float32Array.from(values), summary });
    const shown = createModel();
    shown.loadedLayer.value = {
      kind: 'blend',
      color: { kind: 'blend', genes: ['a', 'b'] },
      parts: [part('a', [0, 1, Number.NaN]), part('b', [Number.NaN, 1, 0])],
    };
    const names = legendOf(shown, [Uint32Array.of(0, 1, 2)])?.entries.map(({ name }) => name);
    expect(names).toEqual(['a', 'b', 'a + b', '2 cells without a value']);
  });

  test('there is no legend if nothing colors the tissue', () => {
    expect(legendOf(createModel(), [])).toBeNull();
  });
});

describe('SVG', () => {
  const TISSUE = 'data:image/png;base64,AAAA';
  const hostile = contents({
    title: { name: HOSTILE, about: '' },
    legend: categories([HOSTILE, `" onload="alert(1)`, `a & b <c> 'd'`, 'half \ud800 \u0001 pair']),
  });

  test('hostile names are escaped', () => {
    const svg = svgOf(layoutPicture(hostile, measure), HOSTILE, [TISSUE]);
    expect(svg).not.toMatch(/<script/i);
    expect(svg).not.toMatch(/<[^>]* on\w+=/i);
    expect(svg).toContain('&lt;script&gt;');
    expect(svg).toContain('a &amp; b &lt;c&gt; &apos;d&apos;');
    expect(svg).toContain('half \ufffd pair');
    expect(svg).toContain(`xlink:href="${TISSUE}"`);
    const tags = [...svg.matchAll(/<([a-zA-Z]+)/g)].map(([, tag]) => tag);
    expect(new Set(tags)).toEqual(new Set(['svg', 'title', 'rect', 'image', 'polyline', 'text', 'circle']));
  });

  test('every mark of the layout is written', () => {
    const layout = layoutPicture(contents(), measure);
    const svg = svgOf(layout, 'x', [TISSUE]);
    for (const word of wordsOf(layout)) expect(svg).toContain(`>${word}</text>`);
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(svg).toContain(`width="${layout.width}" height="${layout.height}"`);
  });

  test('characters that XML forbids are replaced', () => {
    expect(escapeXml('\ud800\u0000\ufffe')).toBe('\ufffd\ufffd\ufffd');
    expect(escapeXml('🧬\tπ')).toBe('🧬\tπ');
  });
});

test('file names contain only characters that every file system accepts', () => {
  expect(fileName('Mouse placenta, Visium', 'cell type', 'png')).toBe('Mouse_placenta_Visium-cell_type.png');
  expect(fileName('../../etc/passwd', '<b>', 'svg')).toBe('etc_passwd-b.svg');
  expect(fileName('π 🧬', null, 'csv')).toBe('π.csv');
  expect(fileName('…', null, 'png')).toBe('tissue.png');
  expect(fileName('x'.repeat(300), 'y'.repeat(300), 'png').length).toBeLessThan(200);
});

test('the scale bar has a round length in µm, mm or units', () => {
  expect(scaleBar(0.2, 1)).toEqual({ width: 100, label: '500 µm' });
  expect(scaleBar(0.02, 1)).toEqual({ width: 100, label: '5 mm' });
  expect(scaleBar(2, null)).toEqual({ width: 100, label: '50 units' });
  expect(scaleBar(0, 1)).toBeNull();
});
