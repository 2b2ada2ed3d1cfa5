import { type Signal, signal } from '@preact/signals';

export interface Hover {
  cell: number;
  /** Whether the pointer is in the second view. */
  inSecondView?: boolean;
  /** CSS pixels in the stage. */
  x: number;
  y: number;
}

/** A cell whose card stays open. */
export interface Pinned {
  cell: number;
  /** Whether it was pinned in the second view. */
  inSecondView?: boolean;
  /** Pinned by keyboard, so that the card gets the focus. */
  byKey?: boolean;
}

export interface PointerModel {
  readonly hover: Signal<Hover | null>;
  readonly pinned: Signal<Pinned | null>;
  /** Position of the pointer, in coordinate units relative to the origin of the positions. */
  readonly pointer: Signal<readonly [number, number] | null>;
}

export interface PointerActions {
  hover(hover: Hover | null): void;
  /** Opens the card of a cell; null closes it. */
  pin(pinned: Pinned | null): void;
  /** Sets the position of the pointer, in coordinate units relative to the origin of the positions. */
  point(position: readonly [number, number] | null): void;
}

export function createPointerModel(): PointerModel {
  return {
    hover: signal<Hover | null>(null),
    pinned: signal<Pinned | null>(null),
    pointer: signal<readonly [number, number] | null>(null),
  };
}

export function createPointerActions(model: PointerModel): PointerActions {
  return {
    hover(hover) {
      model.hover.value = hover;
    },
    pin(pinned) {
      model.pinned.value = pinned;
    },
    point(position) {
      model.pointer.value = position;
    },
  };
}
