import { asError, isAbort } from '../../lib/errors';
import type { Apply } from '../change';
import { geneSetsOf } from '../color/gene-sets';
import { lookAtCells } from '../layout/camera';
import type { Model } from '../model';
import type { SelectionActions } from '../selection/selection-actions';
import { notify } from '../status';
import { openedView } from './saved-view';

export interface SaveActions {
  /** Shows a saved view. If parts had to be left out, adds a notice and rejects at the end. */
  openView(view: unknown): Promise<void>;
}

export function createSaveActions(
  model: Model,
  apply: Apply,
  { setRegions }: Pick<SelectionActions, 'setRegions'>,
): SaveActions {
  return {
    async openView(view) {
      try {
        const bundle = model.bundle.value;
        const { state, geneSets, regions, leftOut } = openedView(
          view,
          bundle?.manifest.n_cells ?? 0,
          model.noun.value,
          geneSetsOf(null, bundle),
        );
        if (regions) setRegions(regions, { undoable: true });
        await apply(geneSets ? { ...state, geneSets } : state, { orRest: true });
        if (state.camera) lookAtCells(model);
        if (leftOut) throw leftOut;
      } catch (thrown) {
        if (!isAbort(thrown)) notify(model, asError(thrown));
        throw thrown;
      }
    },
  };
}
