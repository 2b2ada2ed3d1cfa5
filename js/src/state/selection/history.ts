import { batch } from '@preact/signals';
import { packBits, unpackBits } from '../../lib/bits';
import type { Model } from '../model';
import { type Region, selectionOf } from './selection';

/** Previous values of the fields that one step changed. */
interface Step {
  /** One bit per cell: twenty steps of a million cells take 2.5 MB. */
  selection?: Uint8Array | null;
  regions?: readonly Region[];
}

export interface History {
  /** Records the current value; must be called before the change. */
  keep(what: 'selection' | 'regions'): void;
  undo(): void;
  redo(): void;
  /** Drops the steps that changed regions, because the embedding page replaced all regions. */
  forgetRegions(): void;
}

const MOST_STEPS = 20;

/** Creates the undo and redo history of selections and regions. */
export function createHistory(model: Model, cells: () => number): History {
  let past: Step[] = [];
  let future: Step[] = [];

  const publish = () => {
    model.undoable.value = past.length > 0;
    model.redoable.value = future.length > 0;
  };
  const now = (like: Step): Step => {
    const before = model.selection.value;
    return {
      ...('selection' in like ? { selection: before && packBits(before.mask) } : {}),
      ...('regions' in like ? { regions: model.regions.value } : {}),
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
      if (step.selection !== undefined) {
        model.selection.value = step.selection && selectionOf(unpackBits(step.selection, cells()));
        model.outline.value = null;
      }
      publish();
    });
  };

  return {
    keep(what) {
      past.push(now(what === 'selection' ? { selection: null } : { regions: [] }));
      if (past.length > MOST_STEPS) past.shift();
      future = [];
      publish();
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
