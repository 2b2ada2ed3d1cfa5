import { describe, expect, test, vi } from 'vitest';
import { openedModel } from '../model-fixture';
import { savedView } from '../save/saved-view';

const NAME = 'Distance to Tumor border';
/** Outline around the first two cells of the fixture, at (0, 10) and (5, 20). */
const SQUARE = [-5, 5, 8, 5, 8, 25, -5, 25];
const distance = { kind: 'annotation', column: NAME } as const;

async function withRegion(...options: Parameters<typeof openedModel>) {
  const opened = await openedModel(...options);
  opened.actions.select(Uint32Array.of(0, 1), 'replace', SQUARE);
  opened.actions.addRegion('Tumor');
  return opened;
}

type Opened = Awaited<ReturnType<typeof openedModel>>;

const valuesOf = ({ model }: Opened) => {
  const layer = model.layer.value;
  return layer.kind === 'value' ? [...layer.values] : layer.kind;
};
const isOffered = ({ model }: Opened) =>
  model.columns.value.some(({ name, kind }) => name === NAME && kind === 'number');

describe('the distance to the border of a region', () => {
  test('is an annotation in µm, negative inside', async () => {
    const opened = await withRegion();
    expect(isOffered(opened)).toBe(true);
    await opened.actions.setState({ color: distance });
    expect(valuesOf(opened)).toEqual([
      -2.5,
      -1.5,
      Math.fround(Math.hypot(2, 5) / 2),
      Math.fround(Math.hypot(7, 15) / 2),
    ]);
    expect(opened.model.layer.value).toMatchObject({ label: `${NAME} (µm)` });
  });

  test('follows the unit of the view', async () => {
    const opened = await withRegion({ umPerUnit: 2 });
    await opened.actions.setState({ color: distance });
    expect(valuesOf(opened)[0]).toBe(-10);
    await opened.actions.setState({ umPerUnit: 4 });
    await vi.waitFor(() => expect(valuesOf(opened)[0]).toBe(-20));
  });

  test('is as exact far from the origin, and the outline is in coordinates of the source', async () => {
    const opened = await withRegion({}, [5e6, -3e6]);
    expect(opened.model.regions.value[0]?.outline?.slice(0, 4)).toEqual([
      4999995, -2999995, 5000008, -2999995,
    ]);
    await opened.actions.setState({ color: distance });
    expect(valuesOf(opened).slice(0, 2)).toEqual([-2.5, -1.5]);
  });

  test('is renamed and removed with its region, and recomputed for another outline', async () => {
    const opened = await withRegion();
    const { model, actions } = opened;
    await actions.setState({ color: distance });
    actions.renameRegion('Tumor', 'Core');
    expect(model.state.value.color).toEqual({ kind: 'annotation', column: 'Distance to Core border' });
    await vi.waitFor(() =>
      expect(model.layer.value).toMatchObject({ label: 'Distance to Core border (µm)' }),
    );
    actions.select(Uint32Array.of(0), 'replace', [-4, 6, 4, 6, 4, 14, -4, 14]);
    actions.addRegion('Core');
    await vi.waitFor(() => expect(valuesOf(opened)[0]).toBe(-2));
    actions.removeRegion('Core');
    await vi.waitFor(() => expect(model.layer.value).toMatchObject({ column: { name: 'cluster' } }));
    expect([...model.loaded.value.keys()].filter((name) => name.startsWith('Distance'))).toEqual([]);
  });

  test('is not offered for a region that was not drawn as one line', async () => {
    const opened = await withRegion();
    const { model, actions } = opened;
    actions.select(Uint32Array.of(2), 'add', SQUARE);
    actions.addRegion('Tumor');
    expect(isOffered(opened)).toBe(false);
    expect(model.regions.value[0]?.outline).toBeUndefined();
    actions.undo();
    expect(isOffered(opened)).toBe(true);
    actions.selectRegion('Tumor');
    actions.addRegion('Same');
    expect(model.regions.value[1]?.outline).toBe(model.regions.value[0]?.outline);
  });

  test('is defined only for cells in the sections of the region, in any layout', async () => {
    const opened = await openedModel();
    const { model, actions } = opened;
    const { bundle } = model;
    if (!bundle.value) throw new Error('The bundle is not open.');
    // Each cell of the fixture but the last has a cluster of its own.
    Object.assign(bundle.value.manifest, {
      sections: {
        column: 'cluster',
        overlapping: false,
        items: [
          { name: '1', count: 1, extent: [0, 10, 0, 10] },
          { name: '10', count: 1, extent: [5, 20, 5, 20] },
        ],
      },
    });
    actions.resize({ width: 400, height: 400 });
    await actions.setState({ layout: { kind: 'sections', order: 'file' } });
    const title = model.titles.value.find(({ section }) => section.name === '10');
    if (!title) throw new Error('The section is not shown.');
    const drawn = [3, 18, 7, 18, 7, 24, 3, 24].map((value, i) => value + (i % 2 ? title.dy : title.dx));
    actions.select(Uint32Array.of(1), 'replace', drawn);
    actions.addRegion('Tumor');
    const outline = model.regions.value[0]?.outline ?? [];
    expect(outline.map((value) => Math.round(value * 1e5) / 1e5)).toEqual([3, 18, 7, 18, 7, 24, 3, 24]);
    await actions.setState({ color: distance });
    const [first, second, ...others] = valuesOf(opened) as number[];
    expect(second).toBeCloseTo(-1, 5);
    expect([first, ...others]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    // A line around cells of both sections encloses nothing in the tissue.
    actions.select(Uint32Array.of(0, 1), 'replace', drawn);
    actions.addRegion('Both');
    expect(model.regions.value[1]?.outline).toBeUndefined();
  });

  test('is colored symmetrically around the border, which is white, up to the smaller extreme', async () => {
    const { model, actions } = await withRegion();
    await actions.setState({ color: distance });
    const { summary } = model.layer.value as Extract<typeof model.layer.value, { kind: 'value' }>;
    expect(summary.lower).toBeLessThan(0);
    expect(summary.upper).toBeGreaterThan(-summary.lower);
    expect(model.colormap.value).toBe('rdbu');
    expect(model.range.value).toEqual([summary.lower, -summary.lower]);
  });

  test('is saved with the view and shown when the view is opened', async () => {
    const first = await withRegion();
    await first.actions.setState({ color: distance });
    const view = JSON.parse(JSON.stringify(savedView(first.model)));
    expect(view.regions[0].outline).toEqual(SQUARE);
    const second = await openedModel();
    await second.actions.openView(view);
    expect(valuesOf(second)).toEqual(valuesOf(first));
    view.regions[0].outline = [1, 2, 3];
    await expect(second.actions.openView(view)).rejects.toThrow('outline of the region “Tumor”');
  });

  test('is shown as the initial color once its region exists', async () => {
    const opened = await openedModel({ color: distance, range: [-3, 3] });
    const { model, actions } = opened;
    expect(model.layer.value.kind).toBe('category');
    expect(model.notices.value).toEqual([]);
    actions.setRegions([{ name: 'Tumor', cells: Uint32Array.of(0, 1), outline: SQUARE }]);
    await vi.waitFor(() => expect(valuesOf(opened)[0]).toBe(-2.5));
    expect(model.state.value).toMatchObject({ color: distance, range: [-3, 3] });
  });
});
