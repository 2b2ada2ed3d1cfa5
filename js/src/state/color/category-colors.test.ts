import { describe, expect, test } from 'vitest';
import type { CategoryValues } from '../../data/column-values';
import { CATEGORY_PALETTES, MISSING_COLOR, paletteColor } from '../../lib/color';
import { openedModel } from '../model-fixture';
import { INITIAL, merged, type ViewState } from '../view-state';
import { hasFileColors } from './category-colors';

async function opened(initial: Partial<ViewState> = {}) {
  const { model, actions } = await openedModel(initial);
  const colors = () => model.paint.value?.colors;
  const alpha = () => [...(model.paint.value?.alpha ?? [])];
  return { model, actions, colors, alpha };
}

const FROM_FILE = '#102030';

const column = (colors: readonly string[]): CategoryValues => ({
  kind: 'category',
  name: 'c',
  categories: colors.map((color, code) => ({ name: String(code), color, count: 1 })),
  missing: 0,
  codes: Uint8Array.from(colors.keys()),
});

test('colors are those of the file unless they are from the palette for columns without colors', () => {
  const all = Array.from({ length: 130 }, (_, code) => paletteColor(code));
  expect(hasFileColors(column(all))).toBe(false);
  expect(hasFileColors(column([]))).toBe(false);
  // Categories without cells are not exported; the others keep their colors.
  expect(hasFileColors(column(all.filter((_, code) => code % 3 > 0).slice(0, 20)))).toBe(false);
  const many = Array.from({ length: 300 }, (_, code) => paletteColor(code));
  expect(hasFileColors(column(many.filter((_, code) => code % 5 > 2)))).toBe(false);
  expect(hasFileColors(column(['#1f77b4', '#ff7f0e']))).toBe(true);
  expect(hasFileColors(column([...all.slice(0, 3), '#ff7f0e']))).toBe(true);
  const groups = column(['#ff7f0e']);
  expect(hasFileColors({ ...groups, ungrouped: column(all) })).toBe(false);
});

describe('category colors', () => {
  test('come from the file unless overridden by a palette or a custom color', async () => {
    const { model, actions, colors } = await opened();
    expect(colors()).toEqual([FROM_FILE, FROM_FILE, FROM_FILE, MISSING_COLOR]);
    actions.setPalette('safe');
    expect(colors()).toEqual([...CATEGORY_PALETTES.safe.slice(0, 3), MISSING_COLOR]);
    actions.recolorCategory('cluster', '10', '#ABCDEF');
    actions.recolorCategory('elsewhere', '10', '#000000');
    expect(colors()?.[1]).toBe('#abcdef');
    actions.setPalette('file');
    expect(colors()).toEqual([FROM_FILE, '#abcdef', FROM_FILE, MISSING_COLOR]);
    actions.resetCategoryColors('cluster');
    expect(colors()).toEqual([FROM_FILE, FROM_FILE, FROM_FILE, MISSING_COLOR]);
    expect(model.state.value.classColors).toEqual({ elsewhere: { '10': '#000000' } });
  });

  test('are applied to the summaries of categories', async () => {
    const { model, actions } = await opened();
    actions.recolorCategory('cluster', '2', '#ff0000');
    const layer = model.layer.value;
    if (layer.kind !== 'category') throw new Error('the fixture starts with a categorical annotation');
    expect(model.categoriesOf.value(layer.column)[2]).toMatchObject({
      name: '2',
      color: '#ff0000',
      count: 1,
    });
    expect(layer.column.categories[2]?.color, 'the column is not modified').toBe(FROM_FILE);
  });

  test('are only accepted from a view if valid', () => {
    const valid = { cluster: { a: '#ff0000' } };
    const state = merged(INITIAL, { classColors: valid, palette: 'safe' });
    expect(state).toMatchObject({ classColors: valid, palette: 'safe' });
    for (const invalid of [{ cluster: { a: 'red' } }, { cluster: ['#ff0000'] }, [], null, 'x'])
      expect(merged(state, { classColors: invalid as never }).classColors).toEqual(valid);
    expect(merged(state, { palette: 'nice' as never }).palette).toBe('safe');
    const prototypeNames = JSON.parse('{"__proto__": {"__proto__": "#00ff00"}}');
    expect(merged(state, { classColors: prototypeNames }).classColors).toBe(prototypeNames);
  });

  test('are dimmed for all categories but the emphasized one, unless it is hidden', async () => {
    const { actions, alpha } = await opened();
    expect(alpha()).toEqual([255, 255, 255, 255]);
    actions.emphasize({ column: 'cluster', names: [null] });
    expect(alpha()[3]).toBe(255);
    expect(Math.max(...alpha().slice(0, 3))).toBeLessThan(80);
    actions.toggleCategories('cluster', [null]);
    expect(alpha()).toEqual([255, 255, 255, 0]);
    actions.emphasize({ column: 'another', names: ['1'] });
    expect(alpha()).toEqual([255, 255, 255, 0]);
  });
});
