/** Messages between a viewer in a frame and the page around it, over one MessagePort. */

import type { Plain } from './plain';
import type { LiveMatrix } from './to-page';
import type { ViewState } from './view';

export const HELLO = 'karospace:hello';
export const INIT = 'karospace:init';

/** Fields of the state of a view. */
export type StateFields = Plain<ViewState>;

/** Posted by the page around, with the port. */
export interface Init {
  type: typeof INIT;
  /** State of the view, as far as it is known already. */
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
  /** `changed` names the fields that the user changed here; others know what was set from outside. */
  | { type: 'state'; state: StateFields; changed: readonly string[] }
  | { type: 'selection'; bits: Uint8Array | null }
  | { type: 'regions'; regions: PlainRegion[] }
  | { type: 'snapshot'; id: string; png: Uint8Array | null; message?: string }
  | { type: 'ready' }
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
  /** The live object has other columns now, as in a manifest, or also other values of genes. */
  | { type: 'live'; columns: readonly unknown[]; matrix: LiveMatrix | null }
  | { type: 'select'; bits: Uint8Array | null }
  | { type: 'regions'; regions: PlainRegion[] }
  | { type: 'dark'; dark: boolean }
  | { type: 'snapshot'; id: string };
