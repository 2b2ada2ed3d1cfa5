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
  /** Groups of categories, and the other fields that change with them. */
  view?: Partial<ViewState>;
  /** The values that the step gave these fields. Undo skips fields that have changed since. */
  made?: Partial<ViewState>;
}

export interface History {
  /** Records the current value; must be called before the change. */
  keep(what: 'selection' | 'regions'): void;
  /** Makes a change, and records the values of `fields` before and after it as one step. */
  keepView(fields: readonly (keyof ViewState)[], change: () => void): void;
  undo(): void;
  redo(): void;
  /** Drops the steps that changed regions, because the embedding page replaced all regions. */
  forgetRegions(): void;
}

const MAX_STEPS = 20;

/** Returns a field as text to compare. Omits the colors of groups, because choosing one is not an undo step. */
const textOf = (state: Partial<ViewState>, field: string): string =>
  JSON.stringify((state as Record<string, unknown>)[field], (key, value) =>
    key === 'color' ? undefined : value,
  );

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
  const unchangedSince = ({ view = {}, made = {} }: Step): Partial<ViewState> => {
    const current = viewNow(Object.keys(view));
    const same = (field: string) => textOf(current, field) === textOf(made, field);
    return Object.fromEntries(Object.entries(view).filter(([field]) => same(field)));
  };
  const add = (step: Step) => {
    past.push(step);
    if (past.length > MAX_STEPS) past.shift();
    future = [];
    publish();
  };
  const now = (like: Step): Step => {
    const before = model.selection.value;
    return {
      ...('selection' in like ? { selection: before && packBits(before.mask) } : {}),
      ...('regions' in like ? { regions: model.regions.value } : {}),
      ...(like.view ? { view: viewNow(Object.keys(like.view)), made: like.view } : {}),
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
      if (step.view) update(model, unchangedSince(step));
      if (step.selection !== undefined) {
        model.selection.value = step.selection && selectionOf(unpackBits(step.selection, cells()));
        model.outline.value = null;
        model.border.value = null;
      }
      publish();
    });
  };

  return {
    keep: (what) => add(now(what === 'selection' ? { selection: null } : { regions: [] })),
    keepView(fields, change) {
      const view = viewNow(fields);
      change();
      add({ view, made: viewNow(fields) });
    },
    undo: () => go(past, future),
    redo: () => go(future, past),
    forgetRegions() {
      past = past.filter((step) => !step.regions);
      future = future.filter((step) => !step.regions);
      publish();
    },
  };
}
