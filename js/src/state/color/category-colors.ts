import type { Category } from '../../contract/manifest';
import type { CategoryValues } from '../../data/column-values';
import { MISSING_COLOR, paletteColor } from '../../lib/color';
import { type ClassOrder, hiddenOf, type ViewState } from '../view-state';
import { hiddenFlags } from './layer';

/** Returns the categories of a column with their current colors. */
export type ClassesOf = (column: CategoryValues) => readonly Category[];

const byName = new Intl.Collator('en', { numeric: true });

export function ordered(classes: readonly Category[], order: ClassOrder): Category[] {
  const rows = [...classes];
  if (order === 'size') rows.sort((a, b) => b.count - a.count);
  if (order === 'name') rows.sort((a, b) => byName.compare(a.name, b.name));
  return rows;
}

/** Category for which all others are dimmed. */
export interface Emphasis {
  column: string;
  /** Null for cells without a value. */
  name: string | null;
}

/** Appearance of the categories of a column, by code; the last entry is for cells without a value. */
export interface Paint {
  colors: readonly string[];
  /** Opacity from 0 (hidden) to 255. */
  alpha: Uint8Array;
}

const DIMMED_ALPHA = 36;

function ownColors(state: Pick<ViewState, 'classColors'>, column: string): Readonly<Record<string, string>> {
  return Object.hasOwn(state.classColors, column) ? (state.classColors[column] ?? {}) : {};
}

/** Caches the categories per column until the colors change, because the legend reads them on each render. */
export function classesWith(state: Pick<ViewState, 'palette' | 'classColors'>): ClassesOf {
  const cache = new WeakMap<CategoryValues, readonly Category[]>();
  return (column) => {
    const own = ownColors(state, column.name);
    if (state.palette === 'file' && Object.keys(own).length === 0) return column.categories;
    const known = cache.get(column);
    if (known) return known;
    const { palette } = state;
    const classes = column.categories.map((category, code) => {
      const base = palette === 'file' ? category.color : paletteColor(code, palette);
      const color = Object.hasOwn(own, category.name) ? (own[category.name] ?? base) : base;
      return { ...category, color };
    });
    cache.set(column, classes);
    return classes;
  };
}

/** Returns `classColors` with one color added. */
export function recolored(
  state: Pick<ViewState, 'classColors'>,
  column: string,
  name: string,
  color: string,
): ViewState['classColors'] {
  const classes = Object.entries(ownColors(state, column)).filter(([other]) => other !== name);
  // `Object.fromEntries` rather than assignment: a category may be named `__proto__`.
  const own = Object.fromEntries([...classes, [name, color.toLowerCase()]]);
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
  classes: readonly Category[],
  state: Pick<ViewState, 'hidden'>,
  emphasis: Emphasis | null,
): Paint {
  const hidden = hiddenFlags(column, hiddenOf(state, column.name));
  const codeOf = (name: string | null) =>
    name === null ? classes.length : classes.findIndex((other) => other.name === name);
  const front = emphasis?.column === column.name ? codeOf(emphasis.name) : -1;
  // Dim nothing if the emphasized category itself is hidden.
  const dims = front >= 0 && hidden[front] !== 1;
  const alpha = hidden.map((flag, code) => (flag === 1 ? 0 : dims && code !== front ? DIMMED_ALPHA : 255));
  return { colors: [...classes.map(({ color }) => color), MISSING_COLOR], alpha };
}
