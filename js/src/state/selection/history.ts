import { batch } from '@preact/signals';
import { packBits, unpackBits } from '../../lib/bits';
import type { Model } from '../model';
import { update } from '../state-model';
import type { ViewState } from '../view-state';
import { type Region, selectionOf } from './selection';

/** Previous values of the fields that one step changed. */
interface Step {
  /** One bit per cell: twenty steps of a million cells take 2.5 MB. */
  selection?: Uint8Array | null;
  regions?: readonly Region[];
  /** Groups of categories, and what grouping them changes. */
  view?: Partial<ViewState>;
}

export interface History {
  /** Records the current value; must be called before the change. */
  keep(what: 'selection' | 'regions'): void;
  /** Records the current values of fields of the view; must be called before the change. */
  keepView(fields: readonly (keyof ViewState)[]): void;
  undo(): void;
  redo(): void;
  /** Drops the steps that changed regions, because the embedding page replaced all regions. */
  forgetRegions(): void;
}

const MOST_STEPS = 20;

/** Creates the undo and redo history of selections, regions and groups of categories. */
export function createHistory(model: Model, cells: () => number): History {
  let past: Step[] = [];
  let future: Step[] = [];

  const publish = () => {
    model.undoable.value = past.length > 0;
    model.redoable.value = future.length > 0;
  };
  const viewNow = (fields: readonly string[]): Partial<ViewState> =>
    Object.fromEntries(Object.entries(model.state.value).filter(([field]) => fields.includes(field)));
  const add = (step: Step) => {
    past.push(step);
    if (past.length > MOST_STEPS) past.shift();
    future = [];
    publish();
  };
  const now = (like: Step): Step => {
    const before = model.selection.value;
    return {
      ...('selection' in like ? { selection: before && packBits(before.mask) } : {}),
      ...('regions' in like ? { regions: model.regions.value } : {}),
      ...(like.view ? { view: viewNow(Object.keys(like.view)) } : {}),
    };
  };
  const go = (from: Step[], to: Step[]) => {
    const step = from.pop();
    if (!step) return;
    to.push(now(step));
    batch(() => {
      if (step.regions) {
        model.regions.value = step.regions;
        model.regionNote.value = null;
      }
      if (step.view) update(model, step.view);
      if (step.selection !== undefined) {
        model.selection.value = step.selection && selectionOf(unpackBits(step.selection, cells()));
        model.outline.value = null;
      }
      publish();
    });
  };

  return {
    keep: (what) => add(now(what === 'selection' ? { selection: null } : { regions: [] })),
    keepView: (fields) => add({ view: viewNow(fields) }),
    undo: () => go(past, future),
    redo: () => go(future, past),
    forgetRegions() {
      past = past.filter((step) => !step.regions);
      future = future.filter((step) => !step.regions);
      publish();
    },
  };
}
