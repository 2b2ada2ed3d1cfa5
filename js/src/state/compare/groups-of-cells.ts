import type { CategoryValues } from '../../data/column-values';
import { MIN_CELLS } from '../../data/compare/gene-test';
import type { Noun } from '../../lib/counts';
import { counted, formatCategory } from '../../lib/format';
import { grouped, groupsOf } from '../color/groups';
import { flagsOf } from '../color/layer';
import type { Model } from '../model';
import { maskOf } from '../selection/selection';
import { hiddenOf } from '../view-state';
import type { Basis, CellGroup, Comparison } from './compare-model';

export const REST: CellGroup = { kind: 'rest' };

/** Whether there are genes to compare. */
export const hasGenes = ({ bundle }: Pick<Model, 'bundle'>): boolean => (bundle.value?.genes.count ?? 0) > 0;

export function groupLabel(group: CellGroup): string {
  if (group.kind === 'selection') return 'Selection';
  return group.kind === 'rest' ? 'Rest' : formatCategory(group.name);
}

/** What can be compared now: the selection, regions, and the categories of some annotations. */
export function choices(
  { selection, regions }: Pick<Model, 'selection' | 'regions'>,
  columns: readonly CategoryValues[],
): { label: string; groups: CellGroup[] }[] {
  const named = [
    ...(selection.value ? [{ kind: 'selection' } as const] : []),
    ...regions.value.map(({ name }) => ({ kind: 'region', name }) as const),
  ];
  return [
    { label: 'Selection and regions', groups: named },
    ...columns.map(({ name: column, categories }) => ({
      label: column,
      groups: categories
        .filter(({ count }) => count > 0)
        .map(({ name }) => ({ kind: 'category', column, name }) as const),
    })),
  ].filter(({ groups }) => groups.length > 0);
}

export function basisNow(model: Model, columns: ReadonlyMap<string, CategoryValues>): Basis {
  const layer = model.layer.value;
  // Also applies while a gene colors the tissue: a click on a gene must not bring hidden cells back.
  const hiding = layer.kind === 'category' ? layer.column : model.group.value;
  return {
    bundle: model.bundle.value,
    selection: model.selection.value?.mask ?? null,
    regions: model.regions.value,
    scope: model.scope.value?.mask ?? null,
    hiding,
    hidden: hiding ? hiddenOf(model.state.value, hiding.name) : [],
    columns,
  };
}

/** Whether the cells of the groups, or the values of their genes, have changed since the comparison. */
export function isOutdated({ groups, basis }: Comparison, model: Model): boolean {
  const now = basisNow(model, basis.columns);
  const regionOf = ({ regions }: Basis, name: string) =>
    regions.find((region) => region.name === name)?.cells;
  return (
    now.bundle !== basis.bundle ||
    now.scope !== basis.scope ||
    now.hiding?.name !== basis.hiding?.name ||
    `${now.hidden}` !== `${basis.hidden}` ||
    groups.some((group) => {
      if (group.kind === 'selection') return now.selection !== basis.selection;
      if (group.kind === 'region') return regionOf(now, group.name) !== regionOf(basis, group.name);
      return group.kind === 'category' && columnOf(model, group.column) !== basis.columns.get(group.column);
    })
  );
}

const columns = new WeakMap<CategoryValues, { groups: string; column: CategoryValues }>();

/** Returns a loaded annotation with groups of its categories: the same object until one of them changes. */
export function columnOf(model: Pick<Model, 'loaded' | 'state'>, name: string): CategoryValues | undefined {
  const loaded = model.loaded.value.get(name);
  if (loaded?.kind !== 'category') return undefined;
  const of = groupsOf(model.state.value, name);
  const groups = JSON.stringify(of);
  const known = columns.get(loaded);
  if (known?.groups === groups) return known.column;
  const column = grouped(loaded, of);
  columns.set(loaded, { groups, column });
  return column;
}

/** Returns for each cell 1 in the first group, 2 in the second, 0 in neither; hidden cells are in neither. */
export function sidesOf(
  [a, b]: readonly [CellGroup, CellGroup],
  { selection, regions, scope, hiding, hidden, columns }: Basis,
  total: number,
  noun: Noun,
): { group: Uint8Array; sizes: [number, number] } {
  const groupMask = (of: CellGroup): Uint8Array => {
    if (of.kind === 'region')
      return maskOf(regions.find(({ name }) => name === of.name)?.cells ?? new Uint32Array(), total);
    const mask = new Uint8Array(total);
    if (of.kind === 'selection') return selection ?? mask;
    if (of.kind === 'category') {
      const column = columns.get(of.column);
      const code = column?.categories.findIndex(({ name }) => name === of.name) ?? -1;
      for (let cell = 0; cell < total; cell++) mask[cell] = column?.codes[cell] === code && code >= 0 ? 1 : 0;
    }
    return mask;
  };
  const [inA, inB] = [groupMask(a), groupMask(b)];
  const flags = hiding && hidden.length > 0 ? flagsOf(hiding, hidden) : null;
  const group = new Uint8Array(total);
  const sizes: [number, number] = [0, 0];
  let common = 0;
  for (let cell = 0; cell < total; cell++) {
    if ((scope && !scope[cell]) || flags?.[hiding?.codes[cell] ?? 0] === 1) continue;
    const first = a.kind === 'rest' ? !inB[cell] : inA[cell];
    const second = b.kind === 'rest' ? !first : inB[cell];
    if (first && second) common++;
    else if (first) sizes[0]++;
    else if (second) sizes[1]++;
    group[cell] = first ? 1 : second ? 2 : 0;
  }
  if (common > 0)
    throw new Error(
      `${counted(common, noun)} ${common === 1 ? 'is' : 'are'} in both groups. Choose groups that do not overlap.`,
    );
  sizes.forEach((size, i) => {
    if (size >= MIN_CELLS) return;
    const label = groupLabel(i === 0 ? a : b);
    throw new Error(
      `“${label}” has ${size === 0 ? `no visible ${noun}s` : counted(size, `visible ${noun}`)}. ` +
        `A comparison needs at least ${MIN_CELLS} in each group.`,
    );
  });
  return { group, sizes };
}
