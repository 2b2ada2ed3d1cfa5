import { signal } from '@preact/signals';
import { type BundleModel, createBundleModel } from './bundle-model';
import { type ColorModel, createColorModel } from './color/color-model';
import { type CompareModel, createCompareModel } from './compare/compare-model';
import { createDisplayModel, type DisplayModel } from './display';
import { createImageModel, type ImageModel } from './image/image-model';
import { createLayoutModel, type LayoutModel } from './layout/layout-model';
import { createNeighborsModel, type NeighborsModel } from './neighbors/neighbors-model';
import { createPointerModel, type PointerModel } from './pointer';
import { createSelectionModel, type SelectionModel } from './selection/selection-model';
import type { StateModel } from './state-model';
import { createStatusModel, type StatusModel } from './status';
import { INITIAL, merged, type ViewState } from './view-state';

/** State observed by the panels and the renderer. Written only by actions and the loader. */
export interface Model
  extends StateModel,
    StatusModel,
    BundleModel,
    LayoutModel,
    ColorModel,
    SelectionModel,
    CompareModel,
    NeighborsModel,
    ImageModel,
    DisplayModel,
    PointerModel {}

export function createModel(initial: Partial<ViewState> = {}): Model {
  const state: StateModel = { state: signal<ViewState>(merged(INITIAL, initial)) };
  const selection = createSelectionModel();
  const bundle = createBundleModel(selection);
  const layout = createLayoutModel(state);
  return {
    ...state,
    ...bundle,
    ...layout,
    ...createColorModel({ ...state, ...bundle, ...layout }),
    ...createStatusModel(),
    ...selection,
    ...createCompareModel(),
    ...createNeighborsModel(),
    ...createImageModel(),
    ...createDisplayModel({ ...state, ...bundle }),
    ...createPointerModel(),
  };
}
