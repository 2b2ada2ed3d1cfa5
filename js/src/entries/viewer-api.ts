import type { IndexLinks } from '../panels/index-nav';
import type { PictureOptions } from '../picture/pictures';
import type { SavedView } from '../state/save/saved-view';
import type { ViewState } from '../state/view-state';

export interface ViewerEvents {
  /** The first frame is drawn, also after a retry. */
  ready: undefined;
  state: ViewState;
  /** The cell under the pointer, or null. */
  hover: { cell: number; id: string } | null;
  error: Error;
  selection: { mask: Uint8Array | null; count: number };
  regions: ShownRegion[];
  /** A full frame of the current state is drawn. */
  drawn: undefined;
}

export interface ShownRegion {
  name: string;
  color: string;
  count: number;
  /** Indices of its cells, ascending; a copy. */
  cells: Uint32Array;
  /** A flag for every cell of the bundle, computed on access. */
  readonly mask: Uint8Array;
  /** The closed line drawn around its cells, interleaved x, y in coordinate units of the tissue; missing if there is none. */
  outline?: number[];
}

/** Defined by cell indices or by a flag for every cell of the bundle. A missing color is assigned. */
export type GivenRegion = { name: string; color?: string; outline?: readonly number[] } & (
  | { cells: Uint32Array }
  | { mask: Uint8Array }
);

export interface ViewerOptions {
  state?: Partial<ViewState>;
  /** A saved view. Replaces `state` and the bundle's initial view. */
  view?: unknown;
  /** Show only the tissue and a small legend. */
  embed?: boolean;
  /** The index from which the bundle was opened; null if there is none. */
  index?: Promise<IndexLinks | null> | undefined;
  /** Where keyboard shortcuts work: in the whole page, or only in the viewer's element (the default). */
  keys?: 'page' | 'element';
  /** Load all columns right away: the source may become unavailable later, such as a stopped kernel. */
  eager?: boolean;
  /** Starts a worker that runs this script, to compare genes. Default: compares in the page. */
  createWorker?: (() => Worker | null) | undefined;
  /** Whether the surrounding page is dark. Default: the system's color scheme. */
  dark?: boolean;
}

export interface Viewer {
  /** Resolves when the first frame is drawn; after a retry, the promise of the last attempt. */
  readonly ready: Promise<void>;
  getState(): ViewState;
  /** Resolves when the change is drawn. `orRest`: applies what the bundle supports, then rejects for the rest. */
  setState(change: Partial<ViewState>, options?: { orRest?: boolean }): Promise<void>;
  on<K extends keyof ViewerEvents>(event: K, handler: (detail: ViewerEvents[K]) => void): () => void;
  /** Position of a cell in CSS pixels of the page. */
  project(cell: number): { x: number; y: number } | null;
  /** The displayed category or value of the cell, or null. */
  valueAt(cell: number): string | number | null;
  /** A copy of the mask, 1 for each selected cell; null when nothing is selected. */
  readonly selection: Uint8Array | null;
  /** Selects the cells with a flag other than zero, one for each cell of the bundle; null clears. */
  select(mask: Uint8Array | null): void;
  readonly regions: ShownRegion[];
  /** Replaces all regions. */
  setRegions(regions: readonly GivenRegion[]): void;
  /** The state and the regions. `link`: without the genes of sets that the bundle has. */
  getView(options?: { link?: boolean }): SavedView;
  /** Shows a saved view; resolves when drawn. Skips what the bundle lacks, shows a notice, and rejects at the end. */
  setView(view: unknown): Promise<void>;
  /** The tissue as drawn now, on the background color, as PNG. */
  snapshot(): Promise<Blob>;
  /** The current view, redrawn at `scale` times its size, with legend, scale bar and title. */
  picture(options?: PictureOptions): Promise<Blob>;
  /** The visible cells in view (with a selection, the selected ones) as CSV: ID, coordinates, displayed values. */
  table(): Promise<string>;
  /** Number of cells; 0 before they are loaded. */
  readonly cells: number;
  /** Sets whether the surrounding page is dark, which the theme “auto” follows. */
  setSystemDark(dark: boolean): void;
  /** Shows why nothing can be loaded at the moment, such as “is waiting for the kernel.”; null clears the message. */
  setWaiting(reason: string | null): void;
  /** Other origins whose pages may send messages, as allowed at export; `*` for all. */
  readonly embedOrigins: readonly string[];
  /** Number of live GL objects; 0 after `dispose`. */
  readonly liveObjects: number;
  dispose(): void;
}
