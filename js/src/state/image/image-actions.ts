import type { BundleModel } from '../bundle-model';
import { type StateModel, update } from '../state-model';
import { INITIAL, type ViewState } from '../view-state';

export interface ImageActions {
  setImage(on: boolean, opacity: number): void;
  /** Toggles the image. Opacity 0 counts as off and is reset to the default, so that switching on has an effect. */
  toggleImage(): void;
  adjustImage(change: Partial<Pick<ViewState, 'imageBrightness' | 'imageContrast'>>): void;
}

export function createImageActions(model: StateModel & Pick<BundleModel, 'bundle'>): ImageActions {
  const setImage = (imageOn: boolean, imageOpacity: number) => update(model, { imageOn, imageOpacity });
  return {
    setImage,
    toggleImage() {
      if (!model.bundle.value?.hasImage) return;
      const { imageOn, imageOpacity } = model.state.value;
      setImage(!(imageOn && imageOpacity > 0), imageOpacity || INITIAL.imageOpacity);
    },
    adjustImage: (change) => update(model, change),
  };
}
