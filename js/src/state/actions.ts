import { batch } from '@preact/signals';
import { asError, isAbort } from '../lib/errors';
import { createApply } from './change';
import { type ColorActions, createColorActions } from './color/color-actions';
import { createGeneSetActions, type GeneSetActions } from './color/gene-set-actions';
import { createGroupActions, type GroupActions } from './color/group-actions';
import type { CompareLoader } from './compare/compare-loader';
import { createDisplayActions, type DisplayActions } from './display';
import { createImageActions, type ImageActions } from './image/image-actions';
import { fitAll } from './layout/camera';
import { createLayoutActions, type LayoutActions } from './layout/layout-actions';
import type { Loader } from './loader';
import type { Model } from './model';
import type { NeighborsLoader } from './neighbors/neighbors-loader';
import { createPointerActions, type PointerActions } from './pointer';
import { createSaveActions, type SaveActions } from './save/save-actions';
import { createHistory } from './selection/history';
import { cellCount, createSelectionActions, type SelectionActions } from './selection/selection-actions';
import { update } from './state-model';
import { createStatusActions, notify, type StatusActions } from './status';
import { INITIAL, type ViewState } from './view-state';

export interface Actions
  extends StatusActions,
    LayoutActions,
    ColorActions,
    GroupActions,
    GeneSetActions,
    SelectionActions,
    ImageActions,
    DisplayActions,
    PointerActions,
    SaveActions,
    CompareLoader,
    NeighborsLoader {
  /** Applies a change of the state; resolves when the values it needs are loaded. */
  setState(change: Partial<ViewState>): Promise<void>;
  /** Like `setState`, but applies the rest and then rejects if the color, the layout or the grouping is not available. */
  setStateOrRest(change: Partial<ViewState>): Promise<void>;
  /** Resets display, image, color limits, hidden categories and orientation, and fits all cells. */
  reset(): void;
}

export function createActions(model: Model, loader: Loader): Actions {
  const apply = createApply(model, loader);
  const applyOrNotify = (change: Partial<ViewState>) => {
    apply(change).catch((thrown) => {
      if (!isAbort(thrown)) notify(model, asError(thrown));
    });
  };
  const history = createHistory(model, () => cellCount(model));
  const selectionActions = createSelectionActions(model, history);
  return {
    ...createStatusActions(model),
    ...createLayoutActions(model, apply, applyOrNotify),
    ...createColorActions(model, loader, apply, applyOrNotify),
    ...createGroupActions(model, history),
    ...createGeneSetActions(model, applyOrNotify),
    ...selectionActions,
    ...createImageActions(model),
    ...createDisplayActions(model),
    ...createPointerActions(model),
    ...createSaveActions(model, apply, selectionActions),
    compare: loader.compare,
    closeComparison: loader.closeComparison,
    showDots: loader.showDots,
    readDots: loader.readDots,
    setNeighbors: loader.setNeighbors,
    showNeighborhoods: loader.showNeighborhoods,
    readNeighborhoods: loader.readNeighborhoods,
    setState: (change) => apply(change),
    setStateOrRest: (change) => apply(change, { orRest: true }),
    reset() {
      const { pointSize, opacity, imageOpacity, imageOn, imageBrightness, imageContrast, turn, flip } =
        INITIAL;
      const image = { imageOpacity, imageOn, imageBrightness, imageContrast };
      batch(() => {
        update(model, { pointSize, opacity, ...image, range: null, hidden: {}, turn, flip });
        fitAll(model);
      });
    },
  };
}
