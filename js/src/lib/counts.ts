import { formatCount } from './format';

/** The cells of a bundle, and how many of them a window shows. */
export interface Counts {
  /** Cells of the bundle. */
  total: number;
  /** Cells of the source, where the bundle says so: more than `total` when it holds a part of them. */
  source: number | null;
  /** Cells that have coordinates in the layout. */
  placed: number;
  /** What cells without coordinates have no place in, as `UMAP`. */
  place: string;
  /** Cells that are drawn: with a place, in no hidden category, inside the window. */
  drawn: number;
}

const cells = (count: number) => `${formatCount(count)} ${count === 1 ? 'cell' : 'cells'}`;

/** The cells of a bundle and of its source: `1,000 of 6,471 cells`. */
export function bundleText(total: number, source: number | null | undefined): string {
  return source != null && source > total ? `${formatCount(total)} of ${cells(source)}` : cells(total);
}

/** How many cells have a place in a layout; empty where all have one. */
export function placedText({ total, placed, place }: Pick<Counts, 'total' | 'placed' | 'place'>): string {
  if (placed >= total) return '';
  return `${formatCount(placed)} of ${cells(total)} ${placed === 1 ? 'has' : 'have'} a place in ${place}`;
}

/** How many cells a picture shows; each number says what it counts. */
export function shownText({ total, source, placed, place, drawn }: Counts): string {
  if (drawn === total) return bundleText(total, source);
  const of = source !== null && source > total ? ` (the source has ${formatCount(source)})` : '';
  if (drawn === placed) return `${placedText({ total, placed, place })}${of}`;
  const without =
    placed < total ? `, ${formatCount(placed)} ${placed === 1 ? 'has' : 'have'} a place in ${place}` : '';
  return `${formatCount(drawn)} of ${cells(total)} in view${without}${of}`;
}
