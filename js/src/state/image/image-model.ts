import { type Signal, signal } from '@preact/signals';
import type { TissueImage } from '../../data/bundle';

export interface ImageModel {
  readonly image: Signal<TissueImage | null>;
  /** Whether loading the image has finished, successfully or not. */
  readonly imageRead: Signal<boolean>;
  /** Small picture of the tissue, shown while it loads or when it cannot be drawn. */
  readonly preview: Signal<Blob | null>;
}

export function createImageModel(): ImageModel {
  return {
    image: signal<TissueImage | null>(null),
    imageRead: signal(false),
    preview: signal<Blob | null>(null),
  };
}
