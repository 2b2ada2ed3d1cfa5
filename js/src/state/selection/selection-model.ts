import { type Signal, signal } from '@preact/signals';
import type { Draft, Region, Selection, SelectionMode, Tool } from './selection';

export interface RegionNote {
  text: string;
  /** Whether something failed or is incomplete. */
  problem?: boolean;
  /** Whether to offer undo. */
  undo?: boolean;
}

export interface SelectionModel {
  readonly tool: Signal<Tool>;
  /** Selection mode if no modifier key is pressed. */
  readonly mode: Signal<SelectionMode>;
  readonly selection: Signal<Selection | null>;
  /** Mask of the region under the pointer in the list; highlighted like a selection. */
  readonly glance: Signal<Uint8Array | null>;
  /** Whether a change of the selection or the regions can be undone. */
  readonly undoable: Signal<boolean>;
  readonly redoable: Signal<boolean>;
  readonly regions: Signal<readonly Region[]>;
  /** Outcome of the last action on regions. */
  readonly regionNote: Signal<RegionNote | null>;
  readonly draft: Signal<Draft | null>;
  /** Outline drawn to make the selection: interleaved x, y in coordinate units relative to the origin. */
  readonly outline: Signal<readonly number[] | null>;
  /** The outline in coordinates of the source; null if the selection was not drawn as one line on the tissue. */
  readonly border: Signal<readonly number[] | null>;
}

export function createSelectionModel(): SelectionModel {
  return {
    tool: signal<Tool>('move'),
    mode: signal<SelectionMode>('replace'),
    selection: signal<Selection | null>(null),
    glance: signal<Uint8Array | null>(null),
    undoable: signal(false),
    redoable: signal(false),
    regions: signal<readonly Region[]>([]),
    regionNote: signal<RegionNote | null>(null),
    draft: signal<Draft | null>(null),
    outline: signal<readonly number[] | null>(null),
    border: signal<readonly number[] | null>(null),
  };
}
