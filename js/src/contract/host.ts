/** What a viewer in a frame and the page around it say to each other, over one MessagePort. */

export const HELLO = 'karospace:hello';
export const INIT = 'karospace:init';

/** Posted by the page around, with the port. */
export interface Init {
  type: typeof INIT;
  /** A view's state, as far as it is known already. */
  state: Record<string, unknown>;
  dark: boolean;
  /** Genes of the live object that can be asked for besides those of the bundle; 0 for none. */
  live: number;
}

export interface PlainRegion {
  name: string;
  color?: string;
  /** One bit a cell, the first in the lowest bit. */
  bits: Uint8Array;
}

export type ToHost =
  | { type: 'read'; id: number; path: string }
  | { type: 'abort'; id: number }
  /** `changed` names what the reader changed here; what was set from outside others know already. */
  | { type: 'state'; state: Record<string, unknown>; changed: readonly string[] }
  | { type: 'selection'; bits: Uint8Array | null; count: number }
  | { type: 'regions'; regions: PlainRegion[] }
  | { type: 'snapshot'; id: string; png: Uint8Array | null; message?: string }
  | { type: 'ready' };

export type ToViewer =
  | { type: 'part'; id: number; index: number; count: number; total: number; bytes: Uint8Array }
  | { type: 'refused'; id: number; tag: string; message: string }
  /** Why nothing comes at the moment; null when it comes again. */
  | { type: 'waiting'; reason: string | null }
  | { type: 'set'; state: Record<string, unknown> }
  | { type: 'select'; bits: Uint8Array | null }
  | { type: 'regions'; regions: PlainRegion[] }
  | { type: 'dark'; dark: boolean }
  | { type: 'snapshot'; id: string };
