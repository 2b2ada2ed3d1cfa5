import { counted, formatCount } from './format';

/** Numbers of cells in a bundle and in its current view. */
export interface Counts {
  /** Cells in the bundle. */
  total: number;
  /** Cells in the source, if the bundle records it; more than `total` for a downsampled bundle. */
  source: number | null;
  /** Cells with coordinates in the layout. */
  placed: number;
  /** Name of the layout, such as `UMAP`. */
  place: string;
  /** Cells drawn: with coordinates, not in a hidden category, inside the window. */
  drawn: number;
}

const cells = (count: number) => counted(count, 'cell');

/** Formats the numbers of cells in a bundle and in its source: `1,000 of 6,471 cells`. */
export function bundleText(total: number, source: number | null | undefined): string {
  return source != null && source > total ? `${formatCount(total)} of ${cells(source)}` : cells(total);
}

/** Formats how many cells have coordinates in a layout; empty if all have. */
export function placedText({ total, placed, place }: Pick<Counts, 'total' | 'placed' | 'place'>): string {
  if (placed >= total) return '';
  return `${formatCount(placed)} of ${cells(total)} ${placed === 1 ? 'has' : 'have'} coordinates in ${place}`;
}

/** Formats how many cells an image shows, naming what each number counts. */
export function shownText({ total, source, placed, place, drawn }: Counts): string {
  if (drawn === total) return bundleText(total, source);
  const of = source !== null && source > total ? ` (the source has ${formatCount(source)})` : '';
  if (drawn === placed) return `${placedText({ total, placed, place })}${of}`;
  const without =
    placed < total ? `, ${formatCount(placed)} ${placed === 1 ? 'has' : 'have'} coordinates in ${place}` : '';
  return `${formatCount(drawn)} of ${cells(total)} in view${without}${of}`;
}
