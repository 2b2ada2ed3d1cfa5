import type { CategoryValues } from '../../data/column-values';
import { LEAST_CELLS } from '../../data/compare/gene-test';
import type { Noun } from '../../lib/counts';
import { counted, formatClass, formatCount } from '../../lib/format';
import type { Model } from '../model';
import type { CellGroup, Cells } from './compare-model';

export const REST: CellGroup = { kind: 'rest' };

export function groupLabel(group: CellGroup): string {
  if (group.kind === 'selection') return 'Selection';
  return group.kind === 'rest' ? 'Rest' : formatClass(group.name);
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
    { label: 'Selected cells', groups: named },
    ...columns.map(({ name: column, categories }) => ({
      label: column,
      groups: categories
        .filter(({ count }) => count > 0)
        .map(({ name }) => ({ kind: 'category', column, name }) as const),
    })),
  ].filter(({ groups }) => groups.length > 0);
}

export function cellsNow(model: Pick<Model, 'selection' | 'regions' | 'shown' | 'bundle'>): Cells {
  return {
    total: model.bundle.value?.manifest.n_cells ?? 0,
    selection: model.selection.value?.mask ?? null,
    regions: model.regions.value,
    shown: model.shown.value?.mask ?? null,
  };
}

export const sameCells = (a: Cells, b: Cells): boolean =>
  a.selection === b.selection && a.regions === b.regions && a.shown === b.shown;

/** Why two groups cannot be compared; the text says what to do. */
export class GroupsError extends Error {}

/** Returns for each cell 1 in the first group, 2 in the second, 0 in neither; only visible cells count. */
export function sidesOf(
  [a, b]: readonly [CellGroup, CellGroup],
  cells: Cells,
  columnOf: (name: string) => CategoryValues | undefined,
  noun: Noun,
): { group: Uint8Array; sizes: [number, number] } {
  const { total, selection, regions, shown } = cells;
  const maskOf = (of: CellGroup): Uint8Array => {
    const mask = new Uint8Array(total);
    if (of.kind === 'selection') return selection ?? mask;
    if (of.kind === 'region') {
      for (const cell of regions.find(({ name }) => name === of.name)?.cells ?? []) mask[cell] = 1;
    } else if (of.kind === 'category') {
      const column = columnOf(of.column);
      const code = column?.categories.findIndex(({ name }) => name === of.name) ?? -1;
      for (let cell = 0; cell < total; cell++) mask[cell] = column?.codes[cell] === code && code >= 0 ? 1 : 0;
    }
    return mask;
  };
  const [inA, inB] = [maskOf(a), maskOf(b)];
  const group = new Uint8Array(total);
  const sizes: [number, number] = [0, 0];
  let common = 0;
  for (let cell = 0; cell < total; cell++) {
    if (shown && !shown[cell]) continue;
    const first = a.kind === 'rest' ? !inB[cell] : inA[cell];
    const second = b.kind === 'rest' ? !first : inB[cell];
    if (first && second) common++;
    else if (first) sizes[0]++;
    else if (second) sizes[1]++;
    group[cell] = first ? 1 : second ? 2 : 0;
  }
  if (common > 0)
    throw new GroupsError(
      `${counted(common, noun)} ${common === 1 ? 'is' : 'are'} in both groups. Choose groups without common ${noun}s.`,
    );
  sizes.forEach((size, i) => {
    if (size >= LEAST_CELLS) return;
    const label = groupLabel(i === 0 ? a : b);
    throw new GroupsError(
      `“${label}” has ${size === 0 ? `no visible ${noun}s` : counted(size, `visible ${noun}`)}. ` +
        `A comparison needs at least ${formatCount(LEAST_CELLS)} in each group.`,
    );
  });
  return { group, sizes };
}
