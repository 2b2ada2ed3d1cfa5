import { describe, expect, test } from 'vitest';
import { valueAt } from './layer';
import { openedModel } from './model-fixture';
import { INITIAL, merged, refusedFields, type ViewState } from './view-state';

describe('state', () => {
  test('is plain data and keeps out what is unsound', () => {
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

  test('names what it keeps out', () => {
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
    expect(refusedFields(INITIAL, change as never)).toEqual(['evil', 'color', 'opacity', 'flip']);
    expect(refusedFields(INITIAL, INITIAL)).toEqual([]);
  });

  test('limits go with the colour they were set for', () => {
    const ranged = merged(merged(INITIAL, { color: { kind: 'gene', gene: 'a' } }), { range: [0, 2] });
    expect(ranged.range).toEqual([0, 2]);
    expect(merged(ranged, { color: { kind: 'gene', gene: 'b' } }).range).toBeNull();
  });
});

describe('loader', () => {
  test('begins with the first column of classes', async () => {
    const { model } = await openedModel();
    expect(model.state.value.color).toEqual({ kind: 'annotation', column: 'cluster' });
    expect(model.status.value.kind).toBe('ready');
    expect(valueAt(model.layer.value, 1)).toBe('10');
    expect(valueAt(model.layer.value, 3)).toBeNull();
  });

  test('begins with what was asked for, where the bundle has it', async () => {
    const { model } = await openedModel({ color: { kind: 'gene', gene: 'Actb' } });
    expect(model.layer.value.kind).toBe('value');
    const other = await openedModel({ color: { kind: 'gene', gene: 'none' } });
    expect(other.model.state.value.color.kind).toBe('annotation');
  });

  test('the last of several genes wins', async () => {
    const { model, actions } = await openedModel();
    const early = actions.setState({ color: { kind: 'gene', gene: 'Actb' } });
    const late = actions.setState({ color: { kind: 'gene', gene: 'Prl8a9' } });
    await expect(early).rejects.toThrow(/Another colour/);
    await late;
    expect(model.layer.value.color).toEqual({ kind: 'gene', gene: 'Prl8a9' });
    expect(model.task.value).toBeNull();
  });

  test('a gene that cannot be read leaves no old colours under its name', async () => {
    const { model, actions, made } = await openedModel();
    made.files.delete('assets/expression/gene_00000_part_000.bin.gz');
    await expect(actions.setState({ color: { kind: 'gene', gene: 'Actb' } })).rejects.toThrow(/missing/);
    expect(model.layer.value.kind).toBe('none');
    expect(model.problem.value).not.toBeNull();
    await actions.setState({ color: { kind: 'annotation', column: 'cluster' } });
    expect(model.problem.value).toBeNull();
  });

  test('a name that the bundle lacks changes nothing', async () => {
    const { model, actions } = await openedModel();
    const before = model.state.value;
    await expect(actions.setState({ color: { kind: 'gene', gene: 'none' } })).rejects.toThrow(/no gene/);
    expect(model.state.value).toBe(before);
  });
});

describe('classes', () => {
  test('hide, isolate, and show all again', async () => {
    const { model, actions } = await openedModel();
    const hidden = () => model.state.value.hidden;
    actions.toggleClass('cluster', '10');
    expect(hidden()).toEqual({ cluster: ['10'] });
    actions.isolateClass('cluster', '2');
    expect(hidden()).toEqual({ cluster: ['1', '10', null] });
    actions.isolateClass('cluster', '2');
    expect(hidden()).toEqual({});
    actions.toggleClass('cluster', null);
    expect(hidden()).toEqual({ cluster: [null] });
    actions.showAll('cluster');
    expect(hidden()).toEqual({});
  });
});
