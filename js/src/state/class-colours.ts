import type { Category } from '../contract/manifest';
import type { CategoryValues } from '../data/columns';
import { MISSING_COLOUR, paletteColour } from '../lib/colour';
import { hiddenFlags } from './layer';
import { type ClassOrder, hiddenOf, type ViewState } from './view-state';

/** The classes of a column, with the colours that they have now. */
export type ClassesOf = (column: CategoryValues) => readonly Category[];

const byName = new Intl.Collator('en', { numeric: true });

export function ordered(classes: readonly Category[], order: ClassOrder): Category[] {
  const rows = [...classes];
  if (order === 'size') rows.sort((a, b) => b.count - a.count);
  if (order === 'name') rows.sort((a, b) => byName.compare(a.name, b.name));
  return rows;
}

/** A class that others step back for. */
export interface Emphasis {
  column: string;
  /** Null is the class of cells without a value. */
  name: string | null;
}

/** What the classes of a column look like, by their codes; the last stands for cells without a value. */
export interface Paint {
  colors: readonly string[];
  /** 0 hides, 255 shows. */
  alpha: Uint8Array;
}

const STEPPED_BACK = 36;

function ownColours(state: Pick<ViewState, 'classColors'>, column: string): Readonly<Record<string, string>> {
  return Object.hasOwn(state.classColors, column) ? (state.classColors[column] ?? {}) : {};
}

/** Answers are kept as long as the colours: a legend asks with each of its renderings. */
export function classesWith(state: Pick<ViewState, 'palette' | 'classColors'>): ClassesOf {
  const held = new WeakMap<CategoryValues, readonly Category[]>();
  return (column) => {
    const own = ownColours(state, column.name);
    if (state.palette === 'file' && Object.keys(own).length === 0) return column.categories;
    const known = held.get(column);
    if (known) return known;
    const { palette } = state;
    const classes = column.categories.map((category, code) => {
      const stated = palette === 'file' ? category.color : paletteColour(code, palette);
      const color = Object.hasOwn(own, category.name) ? (own[category.name] ?? stated) : stated;
      return { ...category, color };
    });
    held.set(column, classes);
    return classes;
  };
}

/** `classColors` with this one, too. */
export function recoloured(
  state: Pick<ViewState, 'classColors'>,
  column: string,
  name: string,
  color: string,
): ViewState['classColors'] {
  const classes = Object.entries(ownColours(state, column)).filter(([other]) => other !== name);
  // Not by assignment: a class may be named like a part of every object.
  const own = Object.fromEntries([...classes, [name, color.toLowerCase()]]);
  return Object.fromEntries([...Object.entries(withoutColours(state, column)), [column, own]]);
}

/** `classColors` without those of a column. */
export function withoutColours(
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
  // Where the class itself is hidden, nothing steps back.
  const dims = front >= 0 && hidden[front] !== 1;
  const alpha = hidden.map((flag, code) => (flag === 1 ? 0 : dims && code !== front ? STEPPED_BACK : 255));
  return { colors: [...classes.map(({ color }) => color), MISSING_COLOUR], alpha };
}
