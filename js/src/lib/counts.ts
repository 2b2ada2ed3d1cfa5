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
  noun: Noun;
}

/** What each row represents, in the singular. */
export type Noun = 'cell' | 'spot' | 'bin';

/** Returns the noun for `observations` of a manifest; `cell` if it is missing or unknown to this version. */
export function nounOf(observations: string | undefined): Noun {
  return observations === 'spots' ? 'spot' : observations === 'bins' ? 'bin' : 'cell';
}

/** Returns the noun at the start of a sentence: `Cell`. */
export const startingWithOne = (noun: Noun) => `${noun[0]?.toUpperCase()}${noun.slice(1)}`;

/** Returns the plural at the start of a sentence: `Cells`. */
export const startingWith = (noun: Noun) => `${startingWithOne(noun)}s`;

/** Formats the numbers of cells in a bundle and in its source: `1,000 of 6,471 cells`. */
export function bundleText(total: number, source: number | null | undefined, noun: Noun): string {
  return source != null && source > total
    ? `${formatCount(total)} of ${counted(source, noun)}`
    : counted(total, noun);
}

/** Formats how many cells have coordinates in a layout; empty if all have. */
export function placedText({
  total,
  placed,
  place,
  noun,
}: Pick<Counts, 'total' | 'placed' | 'place' | 'noun'>): string {
  if (placed >= total) return '';
  return `${formatCount(placed)} of ${counted(total, noun)} ${placed === 1 ? 'has' : 'have'} coordinates in ${place}`;
}

/** Formats how many cells an image shows, naming what each number counts. */
export function shownText({ total, source, placed, place, drawn, noun }: Counts): string {
  if (drawn === total) return bundleText(total, source, noun);
  const of = source !== null && source > total ? ` (the source has ${formatCount(source)})` : '';
  if (drawn === placed) return `${placedText({ total, placed, place, noun })}${of}`;
  const without =
    placed < total ? `, ${formatCount(placed)} ${placed === 1 ? 'has' : 'have'} coordinates in ${place}` : '';
  return `${formatCount(drawn)} of ${counted(total, noun)} in view${without}${of}`;
}
