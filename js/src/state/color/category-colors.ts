import type { CategoryValues, GroupedCategory } from '../../data/column-values';
import { MISSING_COLOR, paletteColor } from '../../lib/color';
import { type CategoryOrder, hiddenOf, type ViewState } from '../view-state';
import { dimmedFlags, flagsOf } from './layer';

/** Returns the categories of a column with their current colors. */
export type CategoriesOf = (column: CategoryValues) => readonly GroupedCategory[];

const byName = new Intl.Collator('en', { numeric: true });

export function ordered<T extends GroupedCategory>(categories: readonly T[], order: CategoryOrder): T[] {
  const rows = [...categories];
  if (order === 'size') rows.sort((a, b) => b.count - a.count);
  if (order === 'name') rows.sort((a, b) => byName.compare(a.name, b.name));
  return rows;
}

/** How many colors of the palette are compared with those of a column, unless it has more categories. */
const MAX_COLORS = 10_000;

/** Returns whether the colors of a column come from the file. The exporter takes those of other columns from a palette. */
export function hasFileColors(column: CategoryValues): boolean {
  const { categories } = column.ungrouped ?? column;
  // An export may leave out any number of categories, but does not reorder them.
  let at = 0;
  const most = Math.max(MAX_COLORS, categories.length);
  return categories.some(({ color }) => {
    while (at < most && paletteColor(at) !== color.toLowerCase()) at++;
    return at++ >= most;
  });
}

/** Categories to emphasize by dimming all others. */
export interface Emphasis {
  column: string;
  /** Null stands for cells without a value. */
  names: readonly (string | null)[];
}

/** Appearance of the categories of a column, by code; the last entry is for cells without a value. */
export interface Paint {
  colors: readonly string[];
  /** Opacity from 0 (hidden) to 255. */
  alpha: Uint8Array;
}

/** Opacity of the other categories while one is pointed at, and of those that are not isolated. */
const POINTED_AWAY_ALPHA = 36;
export const DIMMED_ALPHA = 96;

function ownColors(state: Pick<ViewState, 'classColors'>, column: string): Readonly<Record<string, string>> {
  return Object.hasOwn(state.classColors, column) ? (state.classColors[column] ?? {}) : {};
}

/** Caches the categories per column until the colors change, because the legend reads them on each render. */
export function categoriesWith(state: Pick<ViewState, 'palette' | 'classColors'>): CategoriesOf {
  const cache = new WeakMap<CategoryValues, readonly GroupedCategory[]>();
  const categoriesOf: CategoriesOf = (column) => {
    const own = ownColors(state, column.name);
    if (state.palette === 'file' && Object.keys(own).length === 0) return column.categories;
    const known = cache.get(column);
    if (known) return known;
    const { palette } = state;
    // Grouping changes the codes, but not the colors of the other categories.
    const colorOf =
      column.ungrouped && new Map(categoriesOf(column.ungrouped).map(({ name, color }) => [name, color]));
    const categories = column.categories.map((category, code) => {
      if (colorOf) {
        const { name, color, members, ownColor } = category;
        return { ...category, color: ownColor ?? colorOf.get(members?.[0] ?? name) ?? color };
      }
      const base = palette === 'file' ? category.color : paletteColor(code, palette);
      const color = Object.hasOwn(own, category.name) ? (own[category.name] ?? base) : base;
      return { ...category, color };
    });
    cache.set(column, categories);
    return categories;
  };
  return categoriesOf;
}

/** Returns `classColors` with one color added. */
export function recolored(
  state: Pick<ViewState, 'classColors'>,
  column: string,
  name: string,
  color: string,
): ViewState['classColors'] {
  const others = Object.entries(ownColors(state, column)).filter(([other]) => other !== name);
  // `Object.fromEntries` rather than assignment: a category may be named `__proto__`.
  const own = Object.fromEntries([...others, [name, color.toLowerCase()]]);
  return Object.fromEntries([...Object.entries(withoutColors(state, column)), [column, own]]);
}

/** Returns `classColors` without those of a column. */
export function withoutColors(
  state: Pick<ViewState, 'classColors'>,
  column: string,
): ViewState['classColors'] {
  return Object.fromEntries(Object.entries(state.classColors).filter(([other]) => other !== column));
}

export function paintOf(
  column: CategoryValues,
  categories: readonly GroupedCategory[],
  state: Pick<ViewState, 'hidden' | 'isolated'>,
  emphasis: Emphasis | null,
): Paint {
  const hidden = flagsOf(column, hiddenOf(state, column.name));
  const dimmed = dimmedFlags(column, state);
  const pointed = emphasis?.column === column.name ? flagsOf(column, emphasis.names) : null;
  // Point at nothing if the emphasized category itself is hidden.
  const front = pointed?.some((flag, code) => flag === 1 && hidden[code] !== 1) ? pointed : null;
  const recedes = (code: number) => dimmed?.[code] === 1 && front?.[code] !== 1;
  const alpha = hidden.map((flag, code) => {
    if (flag === 1) return 0;
    if (front) return front[code] === 1 ? 255 : POINTED_AWAY_ALPHA;
    return recedes(code) ? DIMMED_ALPHA : 255;
  });
  // Dimmed categories are gray: faint colors of many categories could be confused with those of the isolated ones.
  const colors = [...categories.map(({ color }) => color), MISSING_COLOR];
  return { colors: colors.map((color, code) => (recedes(code) ? MISSING_COLOR : color)), alpha };
}
