/** Messages between a viewer in a frame and the page around it, over one MessagePort. */

import type { Plain } from './plain';
import type { LiveMatrix } from './to-page';
import type { ViewState } from './view';

export const HELLO = 'karospace:hello';
export const INIT = 'karospace:init';

/** Fields of the state of a view. */
export type StateFields = Plain<ViewState>;

/** Posted by the embedding page, with the port. */
export interface Init {
  type: typeof INIT;
  /** The known fields of the state of the view. */
  state: StateFields;
  dark: boolean;
  /** Number of genes of the live object that can be requested besides those of the bundle; 0 for none. */
  live: number;
}

export interface PlainRegion {
  name: string;
  color?: string;
  /** One bit per cell, the first in the lowest bit. */
  bits: Uint8Array;
  /** As in a saved view; empty if the region has none. */
  outline?: readonly number[];
}

export type ToHost =
  /** `body` is what the kernel needs to make the file. */
  | { type: 'read'; id: number; path: string; body?: Uint8Array | undefined }
  | { type: 'abort'; id: number }
  /** `changed` names the fields that the user changed in this viewer, as opposed to those that the host set. */
  | { type: 'state'; state: StateFields; changed: readonly string[] }
  | { type: 'selection'; bits: Uint8Array | null }
  | { type: 'regions'; regions: PlainRegion[] }
  | { type: 'snapshot'; id: string; png: Uint8Array | null; message?: string }
  | { type: 'ready' }
  /** The user pressed the key that saves the notebook. */
  | { type: 'save' }
  /** The user asks for a kernel, after `lost`. */
  | { type: 'reconnect' };

export type ToViewer =
  | { type: 'part'; id: number; index: number; count: number; total: number; bytes: Uint8Array }
  | { type: 'refused'; id: number; tag: string; message: string }
  /** Why no data arrives at the moment; null when it arrives again. */
  | { type: 'waiting'; reason: string | null }
  /** The kernel is gone for good; what is loaded stays. */
  | { type: 'lost'; canReconnect: boolean }
  | { type: 'set'; state: StateFields }
  /** The columns of the live object changed (listed as in a manifest), or also the values of its genes. */
  | { type: 'live'; columns: readonly unknown[]; matrix: LiveMatrix | null }
  | { type: 'select'; bits: Uint8Array | null }
  | { type: 'regions'; regions: PlainRegion[] }
  | { type: 'dark'; dark: boolean }
  | { type: 'snapshot'; id: string };
