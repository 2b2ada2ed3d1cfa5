import type { Bundle } from '../../data/bundle';
import { asError, isAbort } from '../../lib/errors';
import { notify, type StatusModel } from '../status';
import type { ImageModel } from './image-model';

/** Loads the images of the tissue and its sections; a failure becomes a notice. */
export async function loadImage(
  model: ImageModel & Pick<StatusModel, 'notices'>,
  bundle: Bundle,
  signal: AbortSignal,
): Promise<void> {
  try {
    const image = await bundle.image({ signal });
    if (signal.aborted) image?.close();
    else {
      model.image.value = image;
      for (const problem of image?.problems ?? []) notify(model, problem);
    }
  } catch (thrown) {
    if (!isAbort(thrown, signal)) notify(model, asError(thrown));
  }
  model.imageRead.value = true;
}

/** Loads the preview, which only bridges the wait: without one, nothing is shown. */
export async function loadPreview(
  model: Pick<ImageModel, 'preview'>,
  bundle: Bundle,
  signal: AbortSignal,
): Promise<void> {
  model.preview.value = await bundle.preview({ signal }).catch(() => null);
}

export function closeImage(model: Pick<ImageModel, 'image'>): void {
  model.image.value?.close();
  model.image.value = null;
}
