import { expect, test } from 'vitest';
import type { Positions } from '../../data/bundle';
import { fitCamera, project, UPRIGHT, viewOf } from '../../lib/camera';
import { randomFrom } from '../../lib/damage-fixture';
import { bestColumns, placedSections } from '../../lib/section-grid';
import { createModel } from '../model';
import { hashOf, openedView, savedView, stateIn, viewOfHash } from '../save/saved-view';
import { cellsOf } from '../selection/selection';
import { INITIAL, merged } from '../view-state';
import { arranged, arrangementOf, factsOf, withValue } from './arrangement';
import { columnsOf, embeddingLabel, layoutLabel, placedCells, type Sections } from './layout';

const tissue: Positions = {
  coords: Float32Array.of(0, 0, 10, 10, 100, 100, 110, 120, 5, 5),
  extent: [0, 0, 110, 120],
  yAxis: 'down',
  unitUm: 1,
  spotDiameter: null,
};
const sections: Sections = {
  column: 'section',
  items: [
    { name: 's10', extent: [0, 0, 10, 10], count: 2 },
    { name: 's9', extent: [100, 100, 110, 120], count: 2 },
  ],
  facts: [],
  categories: ['s10', 'empty', 's9'],
  codes: Uint8Array.of(0, 0, 2, 2, 3),
};
/** No embedding is loaded. */
const none = new Map<string, Positions>();

test('sections are laid out at one scale without overlap, and cells without a section have no coordinates', () => {
  const layout = { kind: 'sections', columns: 2, order: 'file' } as const;
  const { positions, titles } = placedCells(tissue, layout, none, sections, 2);
  expect(titles.map(({ section }) => section.name)).toEqual(['s10', 's9']);
  const [a, b] = titles;
  expect(a?.box[2]).toBeLessThan(b?.box[0] ?? 0);
  // Shifted, not scaled.
  const at = (cell: number) => [positions.coords[2 * cell] ?? 0, positions.coords[2 * cell + 1] ?? 0];
  expect((at(3)[0] ?? 0) - (at(2)[0] ?? 0)).toBeCloseTo(10);
  expect((at(3)[1] ?? 0) - (at(2)[1] ?? 0)).toBeCloseTo(20);
  expect(at(4)).toEqual([Number.NaN, Number.NaN]);
  for (const { box } of titles) {
    expect(box[0]).toBeGreaterThanOrEqual(positions.extent[0]);
    expect(box[3]).toBeLessThanOrEqual(positions.extent[3]);
  }
});

test('the first section is at the top if y points up', () => {
  const { placed } = placedSections(sections.items, 1, 'up');
  expect(placed[0]?.box[1]).toBeGreaterThan(placed[1]?.box[3] ?? 0);
});

test.each([
  ['down', 90, false],
  ['up', 90, true],
  ['down', 180, true],
  ['up', 270, false],
  ['up', 0, true],
] as const)('sections keep their order with y %s, rotated by %d°, mirrored %s', (yAxis, turn, flip) => {
  const orientation = { turn, flip };
  const { placed, extent } = placedSections(sections.items, 1, yAxis, orientation);
  const view = viewOf(fitCamera(extent), extent, { width: 400, height: 600 }, yAxis, orientation);
  const boxOnScreen = (box: typeof extent) => {
    const [x0, y0] = project(view, box[0], box[1]);
    const [x1, y1] = project(view, box[2], box[3]);
    return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)] as const;
  };
  const [first, second] = placed.map(({ box }) => boxOnScreen(box)) as [
    ReturnType<typeof boxOnScreen>,
    ReturnType<typeof boxOnScreen>,
  ];
  expect(first[3]).toBeLessThan(second[1]);
  expect((first[0] + first[2]) / 2).toBeCloseTo((second[0] + second[2]) / 2);
  // The second is 10 wide and 20 high; rotation by 90° swaps its sides.
  const side = (second[2] - second[0]) / (second[3] - second[1]);
  expect(side).toBeCloseTo(turn === 90 || turn === 270 ? 2 : 0.5);
  for (const [left, top, right, bottom] of [first, second]) {
    expect(Math.min(left, top)).toBeGreaterThan(0);
    expect(right).toBeLessThan(400);
    expect(bottom).toBeLessThan(600);
  }
});

test('sections are sorted by name in natural order, or by number of cells', () => {
  expect(arranged(sections.items, [], { order: 'name' }).map(({ name }) => name)).toEqual(['s9', 's10']);
  const [large, small] = [{ ...sections.items[1], count: 9 }, sections.items[0]] as typeof sections.items;
  expect(arranged([small, large] as never, [], { order: 'cells' })[0]).toBe(large);
});

test('sections are sorted and filtered by an annotation, with missing values last', () => {
  const extent: [number, number, number, number] = [0, 0, 1, 1];
  const items = ['a', 'b', 'c', 'd'].map((name) => ({ name, extent, count: 1 }));
  const chunks: never[] = [];
  const category = (name: string) => ({ name, color: '#000000', count: 1 });
  const facts = factsOf({
    sections: {
      column: 's',
      overlapping: false,
      items,
      missing: 0,
      facts: [
        { column: 'stage', values: ['late', null, 'early', 'late'] },
        { column: 'age', values: [10, 9, null, 100] },
        { column: 'torn', values: ['of another length'] },
      ],
    },
    columns: [
      {
        kind: 'category',
        name: 'stage',
        dtype: 'uint8',
        categories: [category('early'), category('late')],
        missing: 0,
        chunks,
      },
    ],
  });
  expect(facts.map(({ column }) => column)).toEqual(['stage', 'age']);
  const names = (arrangement: Parameters<typeof arranged>[2]) =>
    arranged(items, facts, arrangement)
      .map(({ name }) => name)
      .join('');
  expect(names({ order: 'column', by: 'stage' })).toBe('cadb');
  expect(names({ order: 'column', by: 'age' })).toBe('badc');
  expect(names({ order: 'column', by: 'gone' })).toBe('abcd');
  expect(names({ order: 'file', only: { stage: ['late'] } })).toBe('ad');
  expect(names({ order: 'file', only: { stage: ['late'], age: [100, null] } })).toBe('d');
  expect(names({ order: 'file', only: { gone: [] } })).toBe('abcd');
  const [stage] = facts as [(typeof facts)[number]];
  const without = withValue({ order: 'name' }, stage, 'late', false);
  expect(without).toEqual({ order: 'name', only: { stage: ['early', null] } });
  expect(withValue(without, stage, 'late', true)).toEqual({ order: 'name' });
  expect(arrangementOf({ kind: 'section', name: 'a', by: null, only: {} })).toEqual({ order: 'file' });
});

test.each(['constructor', 'toString', '__proto__'])('a column may be called %s', (column) => {
  const fact = { column, values: ['a', 'b'], distinct: ['a', 'b'] };
  expect(withValue({ order: 'name', only: {} }, fact, 'a', false)).toEqual({
    order: 'name',
    only: Object.fromEntries([[column, ['b']]]),
  });
});

test('the number of columns is chosen to show sections as large as possible', () => {
  const square = Array.from({ length: 12 }, (_, i) => ({
    name: `${i}`,
    extent: [0, 0, 1, 1] as const,
    count: 1,
  }));
  expect(bestColumns(square, 400, 300)).toBe(4);
  expect(bestColumns(square, 1200, 100)).toBe(12);
  const all = { items: square, facts: [] };
  const noViewport = { width: 0, height: 0 };
  expect(columnsOf({ kind: 'sections', order: 'file' }, all, noViewport, UPRIGHT)).toBe(3);
  expect(columnsOf({ kind: 'sections', order: 'file', columns: 5 }, all, noViewport, UPRIGHT)).toBe(5);
});

test('a single section is shown alone; the tissue is shown until an embedding is loaded', () => {
  const single = placedCells(tissue, { kind: 'section', name: 's9' }, none, sections, 1).positions;
  expect(single.extent).toEqual([100, 100, 110, 120]);
  expect(single.coords[0]).toBeNaN();
  expect(single.coords[4]).toBe(100);
  expect(placedCells(tissue, { kind: 'embedding', name: 'X_umap' }, none, null, 1).positions).toBe(tissue);
});

test('a saved view is restored from a file and from a link', async () => {
  const model = createModel({ color: { kind: 'gene', gene: 'EPCAM' }, colormap: 'magma', opacity: 0.4 });
  model.bundle.value = { manifest: { n_cells: 10 } } as never;
  const cells = Uint32Array.of(0, 3, 8, 9);
  model.regions.value = [{ name: 'edge', color: '#123456', cells }];
  const view = savedView(model);
  const restored = openedView(JSON.parse(JSON.stringify(view)), 10);
  expect(merged(INITIAL, restored.state)).toEqual(model.state.value);
  expect(restored.regions).toEqual([{ name: 'edge', color: '#123456', cells }]);
  const { hash } = await hashOf(savedView(model, { whole: false }));
  expect(hash).toMatch(/^#view=[\w-]+$/);
  expect(merged(INITIAL, stateIn(await viewOfHash(hash), 10))).toEqual(model.state.value);
});

test('a link that leaves out its regions states their number', async () => {
  const model = createModel({});
  const total = 400_000;
  model.bundle.value = { manifest: { n_cells: total } } as never;
  const random = randomFrom('region');
  const cells = cellsOf(new Uint8Array(total).map(() => Math.round(random())));
  model.regions.value = [{ name: 'edge', color: '#123456', cells }];
  const { hash, leftOut } = await hashOf(savedView(model));
  expect(leftOut).toBe(1);
  const opened = openedView(await viewOfHash(hash), total);
  expect(opened.regions).toBeNull();
  expect(opened.leftOut?.message).toContain('omits its region');
  expect(openedView({ opacity: 0.5 }, total)).toMatchObject({ regions: null, leftOut: null });
});

test('the camera and regions of a view with a different number of cells are ignored', () => {
  const state = { opacity: 0.5, camera: { x: 1, y: 2, zoom: 3 } };
  const view = { karospace_view: 1, n_cells: 9000, state, regions: [{ name: 'a', bits: 'AAA=' }] };
  const opened = openedView(view, 10);
  expect(opened).toMatchObject({ state: { opacity: 0.5 }, regions: null });
  expect(opened.state.camera).toBeUndefined();
  expect(opened.leftOut?.message).toContain(
    'saved for 9,000 cells, but this bundle has 10: the saved camera and regions were ignored',
  );
  expect(openedView({ ...view, n_cells: 10 }, 10).state).toEqual(state);
  expect(openedView(state, 10).state).toEqual(state);
});

test('the camera in a grid of sections is saved with the number of columns', () => {
  const model = createModel({ layout: { kind: 'sections', order: 'file' }, camera: { x: 0, y: 0, zoom: 1 } });
  model.tissue.value = tissue;
  model.sections.value = sections;
  model.viewport.value = { width: 900, height: 100 };
  expect(savedView(model).state.layout).toEqual({ kind: 'sections', order: 'file' });
  model.state.value = merged(model.state.value, { camera: { x: 5, y: 0, zoom: 3 } });
  expect(savedView(model).state.layout).toMatchObject({ columns: 2 });
});

test('an invalid view is rejected, and invalid fields are ignored', async () => {
  for (const wrong of [
    null,
    [],
    'text',
    { karospace_view: 2, state: {} },
    { karospace_view: 1 },
    { karospace_view: 1, n_cells: 10, state: {}, regions: [{ name: 'a', bits: '%' }] },
    { karospace_view: 1, n_cells: 10, state: {}, regions: [{ name: 'a', bits: 'AAAAAAAA' }] },
    { karospace_view: 1, n_cells: 10, state: {}, regions: [null] },
  ])
    expect(() => openedView(wrong, 10)).toThrow('The view cannot be opened');
  for (const hash of ['', '#x']) expect(await viewOfHash(hash)).toBeNull();
  for (const hash of ['#view=', '#view=%%%', '#view=AAAA']) {
    const broken = await viewOfHash(hash);
    expect(() => openedView(broken, 10)).toThrow('the link is damaged or truncated');
  }
  const garbage = {
    color: 5,
    hidden: [1],
    camera: { x: 'a' },
    range: 'ab',
    layout: { kind: 'x' },
    beside: 7,
    theme: 'pink',
    opacity: 'much',
    imageOn: 'yes',
    colormap: 'jet',
    scale: null,
    groupBy: {},
    // A literal key would set the prototype.
    ...JSON.parse('{"__proto__": {"a": 1}}'),
  };
  expect(merged(INITIAL, garbage as never)).toEqual(INITIAL);
});

test.each([
  ['obsm:spatial', 'Tissue'],
  ['obs:x,y', 'Tissue'],
  ['obsm:X_umap', 'UMAP'],
  ['obsm:X_UMAP', 'UMAP'],
  ['obsm:tsne', 't-SNE'],
  ['obs:UMAP_1,UMAP_2', 'UMAP'],
  ['obs:tSNE-1,tSNE-2', 't-SNE'],
  ['obsm:X_constructor', 'Tissue'],
])('coordinates from %s are called %s', (coordinate_source, label) => {
  const manifest = { coordinate_source, embeddings: null };
  expect(layoutLabel({ kind: 'tissue' }, manifest)).toBe(label);
  expect(embeddingLabel({ kind: 'tissue' }, manifest)).toBe(label === 'Tissue' ? null : label);
});
