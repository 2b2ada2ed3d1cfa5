import type { Model } from '../model';
import { update } from '../state-model';
import type { ViewState } from '../view-state';
import type { GeneSet } from './gene-sets';

export interface GeneSetActions {
  setGeneSets(sets: readonly GeneSet[]): void;
  /** Adds a gene set, or replaces the one of the same name. */
  putGeneSet(set: GeneSet): void;
  /** Returns whether the set has the name now; false if the name is empty or taken. */
  renameGeneSet(name: string, next: string): boolean;
  removeGeneSet(name: string): void;
}

export function createGeneSetActions(
  model: Model,
  applyOrNotify: (change: Partial<ViewState>) => void,
): GeneSetActions {
  const isNamed = (name: string) => model.geneSets.value.some((set) => set.name === name);
  const change = (geneSets: readonly GeneSet[]) => update(model, { geneSets });
  const replaced = (name: string, next: GeneSet) =>
    model.geneSets.value.map((set) => (set.name === name ? next : set));
  return {
    setGeneSets: change,
    putGeneSet(set) {
      change(isNamed(set.name) ? replaced(set.name, set) : [...model.geneSets.value, set]);
    },
    renameGeneSet(name, next) {
      const wanted = next.trim();
      if (wanted === name) return true;
      const set = model.geneSets.value.find((other) => other.name === name);
      if (!wanted || !set || isNamed(wanted)) return false;
      change(replaced(name, { ...set, name: wanted }));
      const { color, range } = model.state.value;
      // Rename the shown score, too, and keep its limits.
      if (color.kind === 'score' && color.name === name)
        applyOrNotify({ color: { ...color, name: wanted }, range });
      return true;
    },
    removeGeneSet(name) {
      change(model.geneSets.value.filter((set) => set.name !== name));
    },
  };
}
