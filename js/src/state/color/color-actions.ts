import type { GeneOrder } from '../../data/gene-search';
import { asError, isAbort } from '../../lib/errors';
import type { Apply } from '../change';
import type { Model } from '../model';
import { update } from '../state-model';
import { notify } from '../status';
import {
  type CategoryOrder,
  type Color,
  hiddenOf,
  isolatedOf,
  type PaletteName,
  type ViewState,
  withNames,
} from '../view-state';
import { type Emphasis, recolored, withoutColors } from './category-colors';
import type { ColorLoader } from './color-loader';
import { groupsOf, withGroups } from './groups';

export interface ColorActions {
  setColor(color: Color): void;
  retryColor(): void;
  /** Reads genes from another matrix. */
  setMatrix(matrix: string): void;
  /** Sets the annotation by which values are grouped. */
  setGroup(column: string): void;
  /** Hides the categories, or shows them if all are hidden. */
  toggleCategories(column: string, names: readonly (string | null)[]): void;
  /** Dims all other categories, or none if exactly these are already isolated. */
  isolateCategories(column: string, names: readonly (string | null)[]): void;
  /** Shows all categories, none of them dimmed. */
  showAll(column: string): void;
  setPalette(palette: PaletteName): void;
  /** Sets the color of a category, `#rrggbb`. */
  recolorCategory(column: string, name: string, color: string): void;
  /** Resets all categories and groups of the column to the colors of the palette. */
  resetCategoryColors(column: string): void;
  /** Dims all other categories while the pointer is over this one; null restores them. */
  emphasize(emphasis: Emphasis | null): void;
  setRange(range: readonly [number, number] | null): void;
  /** Sets the order of categories in the legend. */
  setCategoryOrder(order: CategoryOrder): void;
  /** Sets whether categories are compared by the distributions of their values. */
  setSpread(on: boolean): void;
  /** Sets the order of genes in the search list. */
  setGeneOrder(order: GeneOrder): void;
  /** Loads the values that genes are sorted by; if that fails, genes are listed in file order. */
  rankGenes(): Promise<void>;
  /** Sets how values are mapped to colors. */
  setColors(change: Partial<Pick<ViewState, 'colormap' | 'reversed' | 'scale' | 'dimZeros'>>): void;
}

export function createColorActions(
  model: Model,
  loader: Pick<ColorLoader, 'load' | 'rank'>,
  apply: Apply,
  applyOrNotify: (change: Partial<ViewState>) => void,
): ColorActions {
  const show = (
    column: string,
    names: Partial<Record<'hidden' | 'isolated', readonly (string | null)[]>>,
  ) => {
    const { hidden, isolated } = model.state.value;
    update(model, {
      ...(names.hidden ? { hidden: withNames(hidden, column, names.hidden) } : {}),
      ...(names.isolated ? { isolated: withNames(isolated, column, names.isolated) } : {}),
    });
  };

  return {
    setColor(color) {
      // The failure is already reported by `model.problem`.
      apply({ color }).catch(() => {});
    },
    retryColor() {
      loader.load(model.state.value.color).catch(() => {});
    },
    setMatrix(matrix) {
      apply({ matrix }).catch((thrown) => {
        // `model.problem` already reports a gene that is not in the matrix.
        if (!isAbort(thrown) && model.problem.value === null) notify(model, asError(thrown));
      });
    },
    setGroup: (groupBy) => applyOrNotify({ groupBy }),
    toggleCategories(column, names) {
      const hidden = hiddenOf(model.state.value, column);
      const others = hidden.filter((other) => !names.includes(other));
      show(column, { hidden: names.every((name) => hidden.includes(name)) ? others : [...others, ...names] });
    },
    isolateCategories(column, names) {
      const hidden = hiddenOf(model.state.value, column);
      const isolated = isolatedOf(model.state.value, column);
      const already =
        isolated.length === names.length &&
        names.every((name) => isolated.includes(name) && !hidden.includes(name));
      show(column, {
        hidden: hidden.filter((other) => !names.includes(other)),
        isolated: already ? [] : names,
      });
    },
    showAll: (column) => show(column, { hidden: [], isolated: [] }),
    setPalette: (palette) => update(model, { palette }),
    recolorCategory: (column, name, color) =>
      update(model, { classColors: recolored(model.state.value, column, name, color) }),
    resetCategoryColors(column) {
      const { groups } = model.state.value;
      const plain = groupsOf({ groups }, column).map((group) => ({ ...group, color: null }));
      update(model, {
        classColors: withoutColors(model.state.value, column),
        groups: withGroups(groups, column, plain),
      });
    },
    emphasize(emphasis) {
      model.emphasis.value = emphasis;
    },
    setRange: (range) => update(model, { range }),
    setCategoryOrder: (classOrder) => update(model, { classOrder }),
    setSpread(on) {
      model.spread.value = on;
    },
    setGeneOrder(order) {
      model.geneOrder.value = order;
    },
    rankGenes: () =>
      loader.rank().catch((thrown) => {
        model.geneOrder.value = 'file';
        const lost = model.lost.value;
        if (lost) model.lost.value = { ...lost, wanted: 'The gene order' };
        else if (!isAbort(thrown)) notify(model, asError(thrown));
      }),
    setColors: (change) => update(model, change),
  };
}
