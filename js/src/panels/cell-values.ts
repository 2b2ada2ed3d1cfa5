import type { CategoryValues } from '../data/column-values';
import { sharesAt } from '../data/proportions';
import { startingWithOne } from '../lib/counts';
import { formatCategory, formatExact, formatShare, formatValue } from '../lib/format';
import { grouped, groupsOf } from '../state/color/groups';
import { valueAt } from '../state/color/layer';
import type { Model } from '../state/model';

const MAX_SHARES = 3;

/** A value of a cell, as the tooltip and the card show it. */
export interface CellValue {
  key: string;
  name: string;
  value: string;
  /** The annotation that it is from; null for a gene. */
  column: string | null;
}

/** Returns the values of a cell: its annotations, the one that colors the cells first. */
export function annotationsOf(model: Model, cell: number): CellValue[] {
  const { color } = model.layer.value;
  const rows: CellValue[] = [];
  for (const column of model.loaded.value.values()) {
    const shares = largestShares(model, column.name, cell);
    if (shares) {
      rows.unshift(...shares);
      continue;
    }
    const value =
      column.kind === 'category'
        ? categoryOf(model, column, cell)
        : formatExact(column.values[cell] ?? Number.NaN, column.values instanceof Float64Array);
    const row = { key: `column ${column.name}`, name: column.name, value, column: column.name };
    if (color.kind === 'annotation' && color.column === column.name) rows.unshift(row);
    else rows.push(row);
  }
  return rows;
}

/** Returns the largest shares of a cell that may be drawn as a pie chart; null for other columns and cells. */
function largestShares(model: Model, name: string, cell: number): CellValue[] | null {
  const layer = model.layer.value;
  if (layer.kind !== 'category' || !layer.amounts || layer.column.name !== name) return null;
  const { categories } = layer.column;
  const types = (layer.column.ungrouped ?? layer.column).categories.map((type) => type.name);
  const parts = model.bundle.value?.manifest.proportions?.find(({ column }) => column === name)?.parts ?? [];
  return (
    sharesAt(layer.amounts, categories, cell)
      ?.map((share, code) => [share, categories[code]?.name ?? ''] as const)
      .filter(([share]) => share > 0)
      .sort(([a], [b]) => b - a)
      .slice(0, MAX_SHARES)
      .map(([share, type]) => ({
        key: `share ${type}`,
        name: formatCategory(type),
        value: formatShare(share),
        // A group has no column of its own.
        column: parts[types.indexOf(type)] ?? name,
      })) ?? null
  );
}

/** Returns the category of a cell; for one in a group, the group and the category. */
function categoryOf(model: Model, column: CategoryValues, cell: number): string {
  const name = formatCategory(column.categories[column.codes[cell] ?? -1]?.name ?? null);
  const { categories, codes } = grouped(column, groupsOf(model.state.value, column.name));
  const group = categories[codes[cell] ?? -1];
  return group?.members && group.name !== name ? `${group.name} (${name})` : name;
}

/** Returns the values of the genes that color the cells. */
export function genesOf(model: Model, cell: number): CellValue[] {
  const layer = model.layer.value;
  const row = (key: string, name: string, value: string): CellValue => ({ key, name, value, column: null });
  if (layer.color.kind === 'gene') {
    const value = valueAt(layer, cell);
    return [row('gene', layer.color.gene, typeof value === 'number' ? formatValue(value) : 'no value')];
  }
  if (layer.color.kind === 'score')
    return [row('gene', layer.color.name, formatValue(Number(valueAt(layer, cell) ?? Number.NaN)))];
  if (layer.kind !== 'blend') return [];
  return layer.parts.map(({ gene, values }) =>
    row(`gene ${gene}`, gene, formatValue(values[cell] ?? Number.NaN)),
  );
}

/** Returns the name of a cell; its number until the names are loaded. */
export function cellName(model: Model, cell: number): string {
  const noun = model.noun.value;
  return model.cellNames.value?.(cell) ?? `${startingWithOne(noun)} ${cell + 1}`;
}
