import { batch } from '@preact/signals';
import { packBits, unpackBits } from '../lib/bits';
import type { Model } from './model';
import { type Region, selectionOf } from './selection';

/** What one step changed, as it was before; what it left alone is not in it. */
interface Step {
  /** One bit for each cell: twenty of a million cells are 2.5 MB. */
  selection?: Uint8Array | null;
  regions?: readonly Region[];
}

export interface History {
  /** Called before the change. */
  keep(what: 'selection' | 'regions'): void;
  undo(): void;
  redo(): void;
  /** Regions came from outside: those of before are no longer anyone's to bring back. */
  forgetRegions(): void;
}

const MOST_STEPS = 20;

/** Selections and regions of before, and those that were gone back from. */
export function createHistory(model: Model, cells: () => number): History {
  let past: Step[] = [];
  let future: Step[] = [];

  const tell = () => {
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
      tell();
    });
  };

  return {
    keep(what) {
      past.push(now(what === 'selection' ? { selection: null } : { regions: [] }));
      if (past.length > MOST_STEPS) past.shift();
      future = [];
      tell();
    },
    undo: () => go(past, future),
    redo: () => go(future, past),
    forgetRegions() {
      past = past.filter((step) => !step.regions);
      future = future.filter((step) => !step.regions);
      tell();
    },
  };
}
