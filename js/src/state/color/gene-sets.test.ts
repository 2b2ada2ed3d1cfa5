import { describe, expect, test, vi } from 'vitest';
import { fixture } from '../../data/bundle-fixture';
import { randomFrom } from '../../lib/damage-fixture';
import { memorySource } from '../../source/memory-source';
import { createActions } from '../actions';
import { createLoader } from '../loader';
import { createModel } from '../model';
import { hashOf, openedView, savedView, viewOfHash } from '../save/saved-view';
import type { ViewState } from '../view-state';
import { type GeneSet, MAX_SETS, scoreOf } from './gene-sets';

const SETS: GeneSet[] = [
  { name: 'Both', genes: ['Actb', 'Prl8a9'] },
  { name: '__proto__', genes: ['Actb', 'Gone'] },
  { name: '<b>Gone</b>', genes: ['Gone'] },
];

async function opened(initial: Partial<ViewState> = {}, sets: GeneSet[] | null = SETS) {
  const { manifest, files } = await fixture('1.1.0', false);
  files.set('manifest.json', new TextEncoder().encode(JSON.stringify({ ...manifest, gene_sets: sets })));
  const model = createModel(initial);
  const loader = createLoader(model, memorySource(files));
  const actions = createActions(model, loader);
  await loader.start();
  const names = () => model.geneSets.value.map(({ name }) => name);
  return { model, actions, names };
}

const random = randomFrom('gene sets');
const randomName = () => random().toString(36).slice(2);

describe('gene sets', () => {
  test('are those of the bundle until the view has its own', async () => {
    const { model, actions } = await opened();
    expect(model.geneSets.value).toEqual(SETS);
    expect(model.state.value.geneSets).toBeNull();
    await actions.setState({ geneSets: [] });
    expect(model.geneSets.value).toEqual([]);
    await actions.setState({ geneSets: null });
    expect(model.geneSets.value).toEqual(SETS);
    expect((await opened({}, null)).model.geneSets.value).toEqual([]);
  });

  test('with equal names in a bundle are listed once', async () => {
    const { names } = await opened({}, [...SETS, { name: 'Both', genes: ['Actb'] }]);
    expect(names()).toEqual(['Both', '__proto__', '<b>Gone</b>']);
  });

  test('are scores of the genes that can be read', async () => {
    const { model } = await opened();
    const bundle = model.bundle.value;
    if (!bundle) throw new Error('no bundle');
    const scores = model.geneSets.value.map((set) => scoreOf(set, bundle));
    expect(scores).toEqual([
      { kind: 'score', name: 'Both', genes: ['Actb', 'Prl8a9'] },
      { kind: 'score', name: '__proto__', genes: ['Actb'] },
      null,
    ]);
  });

  test('are added, replaced and removed', async () => {
    const { model, actions, names } = await opened();
    actions.putGeneSet({ name: 'New', genes: ['Actb'] });
    expect(names()).toEqual(['Both', '__proto__', '<b>Gone</b>', 'New']);
    actions.putGeneSet({ name: 'Both', genes: ['Actb'] });
    expect(model.geneSets.value[0]).toEqual({ name: 'Both', genes: ['Actb'] });
    actions.removeGeneSet('__proto__');
    expect(names()).toEqual(['Both', '<b>Gone</b>', 'New']);
  });

  test('are renamed unless the name is empty or taken; the legend follows with its limits', async () => {
    const { model, actions, names } = await opened();
    await actions.setState({
      color: { kind: 'score', name: 'Both', genes: ['Actb', 'Prl8a9'] },
      range: [0, 9],
    });
    expect(actions.renameGeneSet('Both', ' ')).toBe(false);
    expect(actions.renameGeneSet('Both', '__proto__')).toBe(false);
    expect(actions.renameGeneSet('missing', 'x')).toBe(false);
    expect(actions.renameGeneSet('Both', ' Pair ')).toBe(true);
    expect(names()).toEqual(['Pair', '__proto__', '<b>Gone</b>']);
    await vi.waitFor(() => expect(model.layer.value).toMatchObject({ label: 'Pair' }));
    expect(model.state.value).toMatchObject({ color: { name: 'Pair' }, range: [0, 9] });
  });

  test('beyond the limit are not added', async () => {
    const many = Array.from({ length: MAX_SETS }, (_, i) => ({ name: `s${i}`, genes: ['Actb'] }));
    const { model, actions } = await opened({ geneSets: many });
    actions.putGeneSet({ name: 'more', genes: ['Actb'] });
    expect(model.geneSets.value).toHaveLength(MAX_SETS);
    actions.putGeneSet({ name: 's3', genes: ['Prl8a9'] });
    expect(model.geneSets.value[3]).toEqual({ name: 's3', genes: ['Prl8a9'] });
  });

  test('are saved with the view, and kept in a link unless they are too large', async () => {
    const { model, actions } = await opened();
    actions.putGeneSet({ name: 'New', genes: ['Actb'] });
    const { hash, setsLeftOut } = await hashOf(savedView(model, { whole: false, link: true }));
    expect(setsLeftOut).toBe(0);
    const other = await opened();
    await other.actions.openView(await viewOfHash(hash));
    expect(other.model.geneSets.value).toEqual([...SETS, { name: 'New', genes: ['Actb'] }]);
    actions.setGeneSets([{ name: 'Large', genes: Array.from({ length: 9000 }, randomName) }]);
    actions.addRegion('r');
    const large = await hashOf(savedView(model, { link: true }));
    expect(large.setsLeftOut).toBe(1);
    expect(large.hash.length).toBeLessThan(2000);
    const part = openedView(await viewOfHash(large.hash), 4);
    expect(part.state.geneSets).toBeUndefined();
    expect(part.leftOut?.message).toContain('omits its gene set: too large');
  });

  test('of the bundle stay short in a link, even if some were renamed, removed or added', async () => {
    const many = Array.from({ length: 100 }, (_, i) => ({
      name: `s${i}`,
      genes: Array.from({ length: 200 }, randomName),
    }));
    const { model, actions } = await opened({}, many);
    actions.renameGeneSet('s3', 'Renamed');
    actions.removeGeneSet('s5');
    actions.putGeneSet({ name: 'New', genes: ['Actb'] });
    const { hash, setsLeftOut } = await hashOf(savedView(model, { link: true }));
    expect(setsLeftOut).toBe(0);
    expect(hash.length).toBeLessThan(3000);
    const other = await opened({}, many);
    await other.actions.openView(await viewOfHash(hash));
    expect(other.model.geneSets.value).toEqual(model.geneSets.value);
    // A file contains all genes: it may be opened with another bundle.
    expect(savedView(other.model).state.geneSets).toEqual(model.geneSets.value);
  });

  test('of a link that the bundle does not have are named in the error; the others are listed', async () => {
    const { model, actions } = await opened();
    actions.renameGeneSet('Both', 'Pair');
    const { hash } = await hashOf(savedView(model, { link: true }));
    const other = await opened({}, SETS.slice(1));
    await expect(other.actions.openView(await viewOfHash(hash))).rejects.toThrow(
      'refers to the gene set “Pair”, which this bundle does not contain',
    );
    expect(other.names()).toEqual(['__proto__', '<b>Gone</b>']);
  });

  test('in the state of a link from an earlier viewer are opened', async () => {
    const { model, actions } = await opened();
    actions.renameGeneSet('Both', 'Pair');
    const { hash } = await hashOf(savedView(model));
    const other = await opened({}, []);
    await other.actions.openView(await viewOfHash(hash));
    expect(other.names()).toEqual(['Pair', '__proto__', '<b>Gone</b>']);
  });
});
