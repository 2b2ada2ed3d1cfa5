import { describe, expect, test } from 'vitest';
import { MISSING_COLOR } from '../lib/color';
import { valueAt } from './color/layer';
import { openedModel } from './model-fixture';
import { INITIAL, merged, refusedFields, type ViewState } from './view-state';

describe('state', () => {
  test('is plain data and ignores invalid values', () => {
    const next = merged(INITIAL, {
      opacity: 7,
      pointSize: Number.NaN,
      range: [3, 1],
      camera: { x: 0, y: 0, zoom: -1 },
    });
    expect(next).toMatchObject({ opacity: 1, pointSize: 1, range: null, camera: null });
    expect(JSON.parse(JSON.stringify(next))).toEqual(next);
    expect(merged(INITIAL, { evil: 1 } as Partial<ViewState>)).not.toHaveProperty('evil');
  });

  test('reports the fields that it ignores', () => {
    const change = {
      evil: 1,
      color: { kind: 'gene', name: 'a' },
      opacity: Number.NaN,
      pointSize: 99,
      turn: 90,
      flip: 'yes',
      theme: 'auto',
      range: null,
      layout: { kind: 'tissue' },
    };
    expect(refusedFields(change as never)).toEqual(['evil', 'color', 'opacity', 'flip']);
    expect(refusedFields(INITIAL)).toEqual([]);
  });

  test('resets limits when the color changes', () => {
    const ranged = merged(merged(INITIAL, { color: { kind: 'gene', gene: 'a' } }), { range: [0, 2] });
    expect(ranged.range).toEqual([0, 2]);
    expect(merged(ranged, { color: { kind: 'gene', gene: 'b' } }).range).toBeNull();
  });
});

describe('loader', () => {
  test('starts with the first categorical annotation', async () => {
    const { model } = await openedModel();
    expect(model.state.value.color).toEqual({ kind: 'annotation', column: 'cluster' });
    expect(model.status.value.kind).toBe('ready');
    expect(valueAt(model.layer.value, 1)).toBe('10');
    expect(valueAt(model.layer.value, 3)).toBeNull();
  });

  test('starts with the requested color if the bundle has it', async () => {
    const { model } = await openedModel({ color: { kind: 'gene', gene: 'Actb' } });
    expect(model.layer.value.kind).toBe('value');
    const other = await openedModel({ color: { kind: 'gene', gene: 'none' } });
    expect(other.model.state.value.color.kind).toBe('annotation');
  });

  test('shows the last of several requested genes', async () => {
    const { model, actions } = await openedModel();
    const early = actions.setState({ color: { kind: 'gene', gene: 'Actb' } });
    const late = actions.setState({ color: { kind: 'gene', gene: 'Prl8a9' } });
    await expect(early).rejects.toThrow(/Another color/);
    await late;
    expect(model.layer.value.color).toEqual({ kind: 'gene', gene: 'Prl8a9' });
    expect(model.task.value).toBeNull();
  });

  test('removes the old colors if a gene cannot be read', async () => {
    const { model, actions, made } = await openedModel();
    made.files.delete('assets/expression/gene_00000_part_000.bin.gz');
    await expect(actions.setState({ color: { kind: 'gene', gene: 'Actb' } })).rejects.toThrow(/missing/);
    expect(model.layer.value.kind).toBe('none');
    expect(model.problem.value).not.toBeNull();
    await actions.setState({ color: { kind: 'annotation', column: 'cluster' } });
    expect(model.problem.value).toBeNull();
  });

  test('leaves the state unchanged for an unknown gene', async () => {
    const { model, actions } = await openedModel();
    const before = model.state.value;
    await expect(actions.setState({ color: { kind: 'gene', gene: 'none' } })).rejects.toThrow(/no gene/);
    expect(model.state.value).toBe(before);
  });
});

describe('categories', () => {
  test('can be hidden and shown again', async () => {
    const { model, actions } = await openedModel();
    const hidden = () => model.state.value.hidden;
    actions.toggleCategories('cluster', ['10']);
    expect(hidden()).toEqual({ cluster: ['10'] });
    // Toggling several categories hides all of them, or shows all of them if all are hidden.
    actions.toggleCategories('cluster', ['10', '2']);
    expect(hidden()).toEqual({ cluster: ['10', '2'] });
    actions.toggleCategories('cluster', ['10', '2']);
    expect(hidden()).toEqual({});
    actions.toggleCategories('cluster', [null]);
    expect(hidden()).toEqual({ cluster: [null] });
    actions.showAll('cluster');
    expect(hidden()).toEqual({});
  });

  test('that are isolated dim the others, which stay visible', async () => {
    const { model, actions } = await openedModel();
    const column = model.layer.value.kind === 'category' ? model.layer.value.column : null;
    const names = [...(column?.categories.map(({ name }) => name) ?? []), null];
    const opaque = () => names.filter((_, code) => model.paint.value?.alpha[code] === 255);
    const hidden = () => names.filter((_, code) => model.paint.value?.alpha[code] === 0);
    actions.toggleCategories('cluster', ['10']);
    actions.toggleCategories('cluster', ['2']);
    actions.isolateCategories('cluster', ['2']);
    expect(model.state.value).toMatchObject({ hidden: { cluster: ['10'] }, isolated: { cluster: ['2'] } });
    expect(opaque()).toEqual(['2']);
    expect(hidden()).toEqual(['10']);
    expect(model.paint.value?.colors[names.indexOf('1')]).toBe(MISSING_COLOR);
    const [total = 0, ten = 0] = [column?.codes.length, column?.categories[names.indexOf('10')]?.count];
    expect(model.shown.value?.count, 'dimmed cells are not hidden').toBe(total - ten);
    // If the isolated category is hidden, nothing is dimmed.
    actions.toggleCategories('cluster', ['2']);
    expect(opaque()).toEqual(names.filter((name) => name !== '2' && name !== '10'));
    actions.isolateCategories('cluster', ['2']);
    actions.isolateCategories('cluster', ['2']);
    expect(model.state.value).toMatchObject({ hidden: { cluster: ['10'] }, isolated: {} });
    actions.isolateCategories('cluster', [null]);
    actions.showAll('cluster');
    expect(model.state.value).toMatchObject({ hidden: {}, isolated: {} });
  });
});
