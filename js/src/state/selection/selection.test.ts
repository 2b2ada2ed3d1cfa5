import { describe, expect, test } from 'vitest';
import { fixture } from '../../data/bundle-fixture';
import { PALETTE } from '../../lib/color';
import { memorySource } from '../../source/memory-source';
import { createActions } from '../actions';
import { createLoader } from '../loader';
import { createModel } from '../model';
import { combined, isSelected, modeOf, selectionOf } from './selection';

async function opened() {
  const made = await fixture('1.1.0', true);
  const model = createModel();
  const loader = createLoader(model, memorySource(made.files));
  const actions = createActions(model, loader);
  await loader.start();
  const cells = (model.positions.value?.coords.length ?? 0) / 2;
  const selected = () =>
    [...(model.selection.value?.mask ?? [])].flatMap((flag, cell) => (flag ? [cell] : []));
  return { model, actions, cells, selected };
}

const list = (...cells: number[]) => Uint32Array.from(cells);
const allCells = (cells: number) => Uint32Array.from({ length: cells }, (_, cell) => cell);

describe('selection', () => {
  test('can be replaced, extended and reduced, and is null if empty', async () => {
    const { model, actions, selected } = await opened();
    actions.select(list(0, 1), 'add', [0, 0, 1, 0, 1, 1]);
    expect(model.outline.value).not.toBeNull();
    actions.select(list(1, 2), 'add');
    expect(selected()).toEqual([0, 1, 2]);
    expect(model.selection.value?.count).toBe(3);
    expect(model.outline.value).toBeNull();
    actions.select(list(1, 3), 'subtract');
    expect(selected()).toEqual([0, 2]);
    actions.select(list(3), 'replace');
    expect(selected()).toEqual([3]);
    actions.select(list(3), 'subtract');
    expect(model.selection.value).toBeNull();
  });

  test('can be undone for twenty steps', async () => {
    const { model, actions, selected } = await opened();
    actions.select(list(0), 'replace');
    actions.select(list(1), 'add');
    actions.clearSelection();
    actions.undo();
    expect(selected()).toEqual([0, 1]);
    actions.undo();
    actions.undo();
    expect(model.selection.value).toBeNull();
    actions.undo();
    for (let step = 0; step < 25; step++) actions.select(list(step % 2), 'replace');
    for (let step = 0; step < 25; step++) actions.undo();
    expect(selected()).toEqual([0]);
  });

  test('copies a mask and rejects one of the wrong length', async () => {
    const { model, actions, cells, selected } = await opened();
    const mask = new Uint8Array(cells);
    mask[2] = 255;
    actions.setSelection(mask);
    mask[1] = 1;
    expect(selected()).toEqual([2]);
    expect(model.selection.value?.mask[2]).toBe(1);
    expect(() => actions.setSelection(new Uint8Array(cells + 1))).toThrow(/entries; the bundle has/);
  });

  test('excludes hidden categories when inverted', async () => {
    const { model, actions, cells, selected } = await opened();
    actions.select(list(0), 'replace');
    actions.invertSelection();
    expect(selected()).toEqual(Array.from({ length: cells - 1 }, (_, i) => i + 1));
    actions.toggleCategories('cluster', ['10']);
    actions.clearSelection();
    actions.invertSelection();
    const layer = model.layer.value;
    if (layer.kind !== 'category') throw new Error('the fixture starts with a categorical annotation');
    const ten = layer.column.categories.findIndex(({ name }) => name === '10');
    expect(selected()).toEqual([...layer.column.codes].flatMap((code, cell) => (code === ten ? [] : [cell])));
  });
});

describe('regions', () => {
  test('can be added, replaced, renamed, selected and removed', async () => {
    const { model, actions, selected } = await opened();
    actions.addRegion();
    expect(model.regions.value).toEqual([]);
    actions.select(list(0, 1), 'replace');
    actions.addRegion();
    actions.select(list(2), 'replace');
    actions.addRegion('  ');
    const names = () => model.regions.value.map(({ name }) => name);
    expect(names()).toEqual(['Region 1', 'Region 2']);
    const [first, second] = model.regions.value;
    expect(first?.color).not.toBe(second?.color);
    actions.addRegion('Region 1');
    expect(model.regions.value[0]).toEqual({ name: 'Region 1', color: first?.color, cells: list(2) });
    expect(actions.renameRegion('Region 1', 'Region 2')).toBe(false);
    expect(actions.renameRegion('Region 1', ' ')).toBe(false);
    expect(actions.renameRegion('Region 1', ' edge ')).toBe(true);
    expect(names()).toEqual(['edge', 'Region 2']);
    actions.clearSelection();
    actions.selectRegion('edge');
    expect(selected()).toEqual([2]);
    expect(isSelected(list(2), model.selection.value)).toBe(true);
    expect(isSelected(list(1), model.selection.value)).toBe(false);
    actions.select(list(1), 'replace');
    actions.selectRegion('edge', 'add');
    expect(selected()).toEqual([1, 2]);
    actions.selectRegion('edge', 'subtract');
    expect(selected()).toEqual([1]);
    actions.removeRegion('edge');
    expect(names()).toEqual(['Region 2']);
  });

  test('no longer offer undo of a removal after another change', async () => {
    const { model, actions } = await opened();
    actions.select(list(0, 1), 'replace');
    actions.addRegion('a');
    actions.removeRegion('a');
    actions.select(list(2), 'replace');
    expect(model.regionNote.value).toMatchObject({ text: 'Removed “a”.', undo: false });
  });

  test('share the undo and redo history with selections', async () => {
    const { model, actions, cells, selected } = await opened();
    const names = () => model.regions.value.map(({ name }) => name);
    actions.select(list(0, 1), 'replace');
    actions.addRegion('a');
    actions.select(list(2), 'replace');
    actions.removeRegion('a');
    expect(model.regionNote.value).toMatchObject({ undo: true });
    expect(names()).toEqual([]);
    actions.undo();
    expect([names(), selected(), model.regionNote.value]).toEqual([['a'], [2], null]);
    actions.undo();
    expect([names(), selected()]).toEqual([['a'], [0, 1]]);
    actions.undo();
    actions.undo();
    expect([names(), selected(), model.undoable.value]).toEqual([[], [], false]);
    for (let step = 0; step < 4; step++) actions.redo();
    expect([names(), selected(), model.redoable.value]).toEqual([[], [2], false]);
    actions.undo();
    expect(names()).toEqual(['a']);
    actions.select(list(3), 'replace');
    expect(model.redoable.value).toBe(false);
    // Undo does not revert regions set by the notebook.
    actions.setRegions([{ name: 'b', cells: allCells(cells) }]);
    for (let step = 0; step < 5; step++) actions.undo();
    expect(names()).toEqual(['b']);
  });

  test('added by name replace those of the same name and keep their color', async () => {
    const { model, actions, cells } = await opened();
    const all = allCells(cells);
    actions.setRegions([
      { name: 'a', cells: all, color: '#123456' },
      { name: 'b', cells: all },
    ]);
    const { color } = model.regions.value[1] ?? {};
    actions.putRegions([
      { name: 'a', cells: list() },
      { name: 'c', cells: all },
    ]);
    expect(model.regions.value.map((region) => [region.name, region.cells.length])).toEqual([
      ['b', cells],
      ['a', 0],
      ['c', cells],
    ]);
    expect(model.regions.value[1]?.color).toBe('#123456');
    expect(new Set([color, ...model.regions.value.map((region) => region.color)]).size).toBe(3);
    actions.undo();
    expect(model.regions.value.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('without a color are assigned an unused one', async () => {
    const { model, actions, cells } = await opened();
    const two = list(0, 1);
    const [first = '', second = '', third = ''] = PALETTE;
    actions.setRegions([
      { name: 'a', cells: two },
      { name: 'b', cells: two, color: first },
      { name: 'none', cells: list() },
    ]);
    expect(model.regions.value.map((region) => [region.name, region.color, region.cells.length])).toEqual([
      ['a', second, 2],
      ['b', first, 2],
      ['none', third, 0],
    ]);
    expect(() => actions.setRegions([{ name: 'c', cells: list(cells) }])).toThrow(/region “c”/);
    expect(model.regions.value).toHaveLength(3);
  });

  test('beyond the limits are rejected before they exhaust the memory', async () => {
    const { model, actions } = await opened();
    const large = { length: 2 ** 25, at: () => 0 } as unknown as Uint32Array;
    const many = (count: number, cells: Uint32Array) =>
      Array.from({ length: count }, (_, i) => ({ name: `r${i}`, cells }));
    expect(() => actions.setRegions(many(3, large))).toThrow(
      'contain 100,663,296 cells in total; the limit is 67,108,864',
    );
    expect(() => actions.setRegions(many(501, list(0)))).toThrow('Got 501 regions; the limit is 500');
    actions.setRegions(many(500, list(0)));
    expect(model.regions.value).toHaveLength(500);
    actions.select(list(0), 'replace');
    actions.addRegion('one more');
    expect(model.regions.value).toHaveLength(500);
    expect(model.notices.value.map(String)).toEqual(['Error: Got 501 regions; the limit is 500.']);
    actions.addRegion('r7');
    expect(model.regions.value).toHaveLength(500);
    expect(model.notices.value).toHaveLength(1);
  });
});

test('intersecting keeps the cells in both', () => {
  const before = selectionOf([1, 1, 0, 0]);
  expect(combined(before, Uint32Array.of(1, 2), 'intersect', 4)?.mask).toEqual(Uint8Array.of(0, 1, 0, 0));
  expect(combined(before, Uint32Array.of(3), 'intersect', 4)).toBeNull();
  expect(combined(null, Uint32Array.of(3), 'intersect', 4)).toBeNull();
  expect(modeOf({ shiftKey: true, altKey: true })).toBe('intersect');
});

test('selecting by a condition only selects visible cells', async () => {
  const { model, actions } = await opened();
  const layer = model.layer.value;
  if (layer.kind !== 'category') throw new Error('the fixture starts with a categorical annotation');
  const { codes, categories } = layer.column;
  actions.selectWhere((cell) => codes[cell] === 0, 'replace');
  expect(model.selection.value?.count).toBe([...codes].filter((code) => code === 0).length);
  actions.toggleCategories(layer.column.name, [categories[0]?.name ?? '']);
  actions.selectWhere(() => true, 'replace');
  expect(model.selection.value?.count).toBe([...codes].filter((code) => code !== 0).length);
});
