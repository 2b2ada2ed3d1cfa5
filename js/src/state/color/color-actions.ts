import type { GeneOrder } from '../../data/gene-search';
import type { Apply } from '../change';
import type { Model } from '../model';
import { update } from '../state-model';
import { type ClassOrder, type Color, hiddenOf, type PaletteName, type ViewState } from '../view-state';
import { type Emphasis, recolored, withoutColors } from './category-colors';
import type { ColorLoader } from './color-loader';
import { hiddenFlags } from './layer';

export interface ColorActions {
  setColor(color: Color): void;
  retryColor(): void;
  /** Sets the annotation by which values are grouped. */
  setGroup(column: string): void;
  toggleClass(column: string, name: string | null): void;
  /** Shows only this category, or all categories if it is already the only one shown. */
  isolateClass(column: string, name: string | null): void;
  showAll(column: string): void;
  setPalette(palette: PaletteName): void;
  /** Sets the color of a category, `#rrggbb`. */
  recolorClass(column: string, name: string, color: string): void;
  /** Resets all categories of the column to the colors of the palette. */
  resetClassColors(column: string): void;
  /** Dims all other categories while the pointer is over this one; null ends that. */
  emphasize(emphasis: Emphasis | null): void;
  setRange(range: readonly [number, number] | null): void;
  /** Sets the order of categories in the legend. */
  setClassOrder(order: ClassOrder): void;
  /** Sets whether categories are compared by the distributions of their values. */
  setSpread(on: boolean): void;
  /** Sets the order of genes in the search list. */
  setGeneOrder(order: GeneOrder): void;
  /** Sets how values are mapped to colors. */
  setColors(change: Partial<Pick<ViewState, 'colormap' | 'reversed' | 'scale' | 'dimZeros'>>): void;
}

export function createColorActions(
  model: Model,
  loader: Pick<ColorLoader, 'load'>,
  apply: Apply,
  applyOrNotify: (change: Partial<ViewState>) => void,
): ColorActions {
  const setHidden = (column: string, names: readonly (string | null)[]) => {
    const others = Object.entries(model.state.value.hidden).filter(([other]) => other !== column);
    update(model, { hidden: Object.fromEntries(names.length > 0 ? [...others, [column, names]] : others) });
  };

  return {
    setColor(color) {
      // The failure is already reported by `model.problem`.
      apply({ color }).catch(() => {});
    },
    retryColor() {
      loader.load(model.state.value.color).catch(() => {});
    },
    setGroup: (groupBy) => applyOrNotify({ groupBy }),
    toggleClass(column, name) {
      const hidden = hiddenOf(model.state.value, column);
      setHidden(column, hidden.includes(name) ? hidden.filter((other) => other !== name) : [...hidden, name]);
    },
    isolateClass(column, name) {
      const values = model.loaded.value.get(column);
      if (values?.kind !== 'category') return;
      const others = [...values.categories.map((category) => category.name), null].filter(
        (other) => other !== name,
      );
      const flags = hiddenFlags(values, hiddenOf(model.state.value, column));
      const alone =
        flags.reduce((sum, flag) => sum + flag, 0) >= others.length &&
        !hiddenOf(model.state.value, column).includes(name);
      setHidden(column, alone ? [] : others);
    },
    showAll: (column) => setHidden(column, []),
    setPalette: (palette) => update(model, { palette }),
    recolorClass: (column, name, color) =>
      update(model, { classColors: recolored(model.state.value, column, name, color) }),
    resetClassColors: (column) => update(model, { classColors: withoutColors(model.state.value, column) }),
    emphasize(emphasis) {
      model.emphasis.value = emphasis;
    },
    setRange: (range) => update(model, { range }),
    setClassOrder: (classOrder) => update(model, { classOrder }),
    setSpread(on) {
      model.spread.value = on;
    },
    setGeneOrder(order) {
      model.geneOrder.value = order;
    },
    setColors: (change) => update(model, change),
  };
}
