import { describe, expect, test } from 'vitest';
import type { CategoryValues } from '../../data/column-values';
import { composition } from '../../data/composition';
import { CATEGORY_PALETTES } from '../../lib/color';
import { openedModel } from '../model-fixture';
import { INITIAL, merged } from '../view-state';
import { freeGroupName, type Group, grouped, isTaken, misfitOf } from './groups';
import { flagsOf, valueAt } from './layer';
import { countsIn } from './scope';

const column: CategoryValues = {
  kind: 'category',
  name: 'kind',
  categories: [
    { name: 'a', color: '#aa0000', count: 1 },
    { name: 'b', color: '#bb0000', count: 3 },
    { name: 'c', color: '#cc0000', count: 2 },
    { name: 'd', color: '#dd0000', count: 0 },
  ],
  missing: 1,
  codes: Uint8Array.of(0, 1, 1, 1, 2, 2, 4),
};
const group = (name: string, members: string[], color?: string): Group => ({
  name,
  members,
  ...(color ? { color } : {}),
});

describe('a column with groups', () => {
  test('has each group once, at the position of its first member, with the color of the largest', () => {
    const { categories, codes, missing, ungrouped } = grouped(column, [group('G', ['c', 'a', 'b'])]);
    expect(categories).toEqual([
      { name: 'G', color: '#bb0000', count: 6, members: ['b', 'c', 'a'] },
      column.categories[3],
    ]);
    expect([...codes]).toEqual([0, 0, 0, 0, 0, 0, 2]);
    expect(codes).toBeInstanceOf(Uint8Array);
    expect(missing).toBe(1);
    expect(ungrouped).toBe(column);
    expect([...column.codes], 'the column is not modified').toEqual([0, 1, 1, 1, 2, 2, 4]);
  });

  test('can have a group of one or all categories, with the name of a member and its own color', () => {
    const one = grouped(column, [group('a', ['a'], '#00ff00')]);
    expect(one.categories[0]).toMatchObject({ name: 'a', color: '#00ff00', members: ['a'], count: 1 });
    const all = grouped(column, [group('b', ['a', 'b', 'c', 'd'])]);
    expect(all.categories).toHaveLength(1);
    expect([...all.codes]).toEqual([0, 0, 0, 0, 0, 0, 1]);
    const composed = composition(Uint8Array.of(1, 1, 0, 0, 0, 0, 1), all.codes, countsIn(all, null));
    expect(composed.map(({ code, count }) => [code, count])).toEqual([
      [0, 2],
      [1, 1],
    ]);
  });

  test('omits categories that do not exist and groups with the name of another category', () => {
    expect(grouped(column, [group('G', ['x']), group('a', ['b', 'c'])])).toBe(column);
    const partly = grouped(column, [group('G', ['x', 'b']), group('a', ['c', 'd'])]);
    expect(partly.categories.map(({ name, count }) => [name, count])).toEqual([
      ['a', 1],
      ['G', 3],
      ['c', 2],
      ['d', 0],
    ]);
    const groups = { kind: [group('G', ['x', 'b']), group('a', ['c'])], gone: [group('H', ['y'])] };
    expect(misfitOf(groups, [column])?.message).toBe(
      'Groups of categories were left out or are incomplete: “G” of “kind”: there is no category “x”; ' +
        '“a” of “kind”: a category outside it has the same name; ' +
        '“gone” is not a categorical annotation of this bundle.',
    );
    expect(misfitOf({ kind: [group('G', ['a'])] }, [column])).toBeNull();
    expect(misfitOf({ kind: [] }, [{ kind: 'number', name: 'kind' }])).not.toBeNull();
  });

  test('is computed once for the same groups', () => {
    const groups = [group('G', ['a', 'b'])];
    expect(grouped(column, groups)).toBe(grouped(column, groups));
    expect(grouped(column, [])).toBe(column);
    const before = merged(INITIAL, { groups: { kind: groups } });
    const same = merged(before, { groups: { kind: [group('G', ['a', 'b'])] } });
    expect(same.groups, 'equal groups from a notebook change nothing').toBe(before.groups);
  });

  test('flags a group only if all of its members are named', () => {
    const withGroup = grouped(column, [group('a', ['a', 'b'])]);
    expect([...flagsOf(withGroup, ['a'])]).toEqual([0, 0, 0, 0]);
    expect([...flagsOf(withGroup, ['b', 'a', null])]).toEqual([1, 0, 0, 1]);
  });

  test('rejects names that are in use, including those inside other groups', () => {
    const withGroup = grouped(column, [group('Group 1', ['a', 'b'])]);
    expect(freeGroupName(withGroup)).toBe('Group 2');
    const [first, c] = withGroup.categories;
    if (!first || !c) throw new Error('expected a group and a category');
    expect(['Group 1', 'a', 'c', 'new'].map((name) => isTaken(withGroup, name, [c]))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(['Group 1', 'a', 'c', 'd'].map((name) => isTaken(withGroup, name, [first, c]))).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });
});

async function opened(groups: Record<string, Group[]> = {}) {
  const { model, actions, made } = await openedModel({ groups });
  const shown = () => {
    const layer = model.layer.value;
    if (layer.kind !== 'category') throw new Error('the fixture starts with a categorical annotation');
    return layer.column;
  };
  /** Merges the named rows of the legend into a group. */
  const merge = (names: string[], name: string) =>
    actions.groupCategories(
      shown(),
      shown().categories.filter((row) => names.includes(row.name)),
      name,
    );
  return { model, actions, shown, merge, made };
}

describe('grouping in the viewer', () => {
  test('is undone and redone together with its effects', async () => {
    const { model, actions, shown, merge } = await opened();
    actions.toggleCategories('cluster', ['10']);
    actions.isolateCategories('cluster', ['1']);
    const before = model.state.value;
    expect(merge(['1', '10'], ' Both ')).toBe(true);
    expect(model.state.value.groups).toEqual({
      cluster: [{ name: 'Both', members: ['1', '10'], color: null }],
    });
    expect(model.state.value, 'a group is hidden or isolated as a whole').toMatchObject({
      hidden: {},
      isolated: {},
    });
    expect(shown().categories.map(({ name }) => name)).toEqual(['Both', '2']);
    actions.undo();
    expect(model.state.value).toEqual(before);
    actions.redo();
    expect(model.state.value.groups).toMatchObject({ cluster: [{ name: 'Both' }] });
    actions.ungroup('cluster', 'Both');
    expect(model.state.value.groups).toEqual({});
    expect(shown().ungrouped).toBeUndefined();
  });

  test('adds categories to a group, which keeps its color', async () => {
    const { model, actions, merge, shown } = await opened();
    merge(['1', '10'], 'Both');
    actions.recolorGroup('cluster', 'Both', '#ABCDEF');
    expect(merge(['Both', '2'], 'All')).toBe(true);
    expect(model.state.value.groups).toEqual({
      cluster: [{ name: 'All', members: expect.arrayContaining(['1', '10', '2']), color: '#abcdef' }],
    });
    expect(shown().categories).toHaveLength(1);
    actions.resetCategoryColors('cluster');
    expect(shown().categories[0]?.color).toBe('#102030');
  });

  test('rejects empty names and those of other categories', async () => {
    const { model, actions, merge, shown } = await opened();
    expect([merge([], 'A'), merge(['1'], ' '), merge(['1', '10'], '2')]).toEqual([false, false, false]);
    expect(model.state.value.groups).toEqual({});
    expect(model.undoable.value).toBe(false);
    merge(['1', '10'], '10');
    const [row] = shown().categories;
    if (!row) throw new Error('expected the group');
    expect(actions.renameGroup(shown(), row, '2')).toBe(false);
    expect(actions.renameGroup(shown(), row, ' Both ')).toBe(true);
    expect(model.state.value.groups).toMatchObject({ cluster: [{ name: 'Both', members: ['1', '10'] }] });
    actions.undo();
    expect(model.state.value.groups).toMatchObject({ cluster: [{ name: '10' }] });
  });

  test('hides, isolates and colors by the members', async () => {
    const { model, actions, shown } = await opened({ cluster: [group('Both', ['1', '10'])] });
    actions.toggleCategories('cluster', ['1', '10']);
    expect([...(model.paint.value?.alpha ?? [])]).toEqual([0, 255, 255]);
    expect(model.state.value.hidden).toEqual({ cluster: ['1', '10'] });
    actions.isolateCategories('cluster', ['1', '10']);
    expect(model.paint.value?.alpha[0]).toBe(255);
    expect(model.paint.value?.alpha[1]).toBeLessThan(255);
    actions.showAll('cluster');
    // A palette gives the other categories the colors that they have without groups.
    actions.setPalette('distinct');
    const { distinct } = CATEGORY_PALETTES;
    const largest = shown().categories[0]?.members?.[0] === '1' ? 0 : 1;
    expect(model.paint.value?.colors.slice(0, 2)).toEqual([distinct[largest], distinct[2]]);
    actions.recolorCategory('cluster', largest === 0 ? '1' : '10', '#00ff00');
    expect(model.paint.value?.colors[0], 'a custom color of a member applies to the group').toBe('#00ff00');
  });

  test('applies to values and summaries', async () => {
    const { model, actions } = await opened({ cluster: [group('Both', ['1', '10'])] });
    const layer = model.layer.value;
    expect([0, 1, 2, 3].map((cell) => valueAt(layer, cell))).toContain('Both');
    expect(model.group.value).toBe(layer.kind === 'category' ? layer.column : null);
    actions.ungroup('cluster', 'Both');
    expect(model.layer.value).toBe(model.loadedLayer.value);
  });

  test('of a view that does not match the bundle is reported, and the rest is shown', async () => {
    const groups = {
      cluster: [group('Both', ['1', '10', 'x']), group('2', ['y'])],
      gone: [group('G', ['z'])],
    };
    const { model, shown } = await opened(groups);
    expect(model.notices.value.map(({ message }) => message)).toEqual([
      expect.stringContaining('“Both” of “cluster”: there is no category “x”'),
    ]);
    expect(shown().categories.map(({ name }) => name)).toEqual(['Both', '2']);
    const other = await opened();
    await expect(other.actions.setState({ groups })).rejects.toThrow('incomplete');
    expect(other.model.state.value.groups).toEqual({});
    await expect(other.actions.openView({ groups, opacity: 0.5 })).rejects.toThrow('incomplete');
    expect(other.shown().categories.map(({ name }) => name)).toEqual(['Both', '2']);
    expect(other.model.state.value.opacity).toBe(0.5);
    expect(other.model.notices.value).toHaveLength(1);
  });
});
