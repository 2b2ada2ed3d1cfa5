import type { GeneValues } from '../../data/gene-store';
import { MISSING_COLOR, parseColor, type Rgb } from '../../lib/color';
import { turns } from '../../lib/pause';
import type { Mixed } from './layer';

/**
 * Color of each combination of genes, as bits: 1 for the first gene, 2 for the second, 4 for the third. The colors of
 * single genes are color-blind safe. Cells in between are interpolated between these corners.
 */
const CORNERS = {
  1: '#d55e00',
  2: '#0072b2',
  3: '#8e2a8c',
  4: '#009e73',
  5: '#b59a00',
  6: '#00a3b8',
} as const;
const LIGHT = { 0: '#cfd4da', 7: '#14181f' } as const;
const DARK = { 0: '#3a424e', 7: '#ffffff' } as const;

export function cornersOf(dark: boolean): Rgb[] {
  const all: Record<number, string> = { ...CORNERS, ...(dark ? DARK : LIGHT) };
  return Array.from({ length: 8 }, (_, bits) => parseColor(all[bits] ?? ''));
}

/** Interpolates between the corners for relative levels, 0 to 1, of up to three genes. */
export function mixture(corners: readonly Rgb[], shares: readonly number[]): Rgb {
  const rgb: [number, number, number] = [0, 0, 0];
  for (let bits = 0; bits < 1 << shares.length; bits++) {
    let weight = 1;
    for (let gene = 0; gene < shares.length; gene++) {
      const share = shares[gene] ?? 0;
      weight *= bits & (1 << gene) ? share : 1 - share;
    }
    if (weight === 0) continue;
    const corner = corners[bits] ?? [0, 0, 0];
    rgb[0] += weight * corner[0];
    rgb[1] += weight * corner[1];
    rgb[2] += weight * corner[2];
  }
  return rgb;
}

/** Returns the relative level of a value: 0 at the lower robust limit of the gene, 1 at the upper. */
export function shareOf({ summary }: Pick<GeneValues, 'summary'>, value: number): number {
  const { lower, upper } = summary;
  return upper > lower && Number.isFinite(value)
    ? Math.min(1, Math.max(0, (value - lower) / (upper - lower)))
    : 0;
}

/**
 * Computes the color of each cell, with its highest relative level as alpha, by which cells are stacked. A cell without
 * a value of one of the genes is gray and drawn below all others.
 */
export function blended(parts: readonly GeneValues[], dark: boolean): Uint32Array {
  const bytes = new Uint8Array((parts[0]?.values.length ?? 0) * 4);
  mixInto(bytes, parts, dark, 0, bytes.length / 4);
  return new Uint32Array(bytes.buffer);
}

/** Number of cells between two checks of the clock. */
const AT_ONCE = 65_536;

/** Like `blended`, pausing between slices to keep the page responsive. */
export async function mixed(parts: readonly GeneValues[], dark: boolean): Promise<Mixed> {
  const bytes = new Uint8Array((parts[0]?.values.length ?? 0) * 4);
  const due = turns();
  for (let from = 0; from < bytes.length / 4; from += AT_ONCE) {
    await due();
    mixInto(bytes, parts, dark, from, Math.min(bytes.length / 4, from + AT_ONCE));
  }
  return { dark, colors: new Uint32Array(bytes.buffer) };
}

function mixInto(
  bytes: Uint8Array,
  parts: readonly GeneValues[],
  dark: boolean,
  from: number,
  to: number,
): void {
  const corners = cornersOf(dark);
  const shares = new Array<number>(parts.length).fill(0);
  const empty = corners[0] ?? [0, 0, 0];
  const missing = parseColor(MISSING_COLOR);
  for (let cell = from; cell < to; cell++) {
    let most = 0;
    let whole = true;
    for (let gene = 0; gene < parts.length; gene++) {
      const part = parts[gene];
      const value = part?.values[cell] ?? 0;
      if (Number.isNaN(value)) whole = false;
      const share = part ? shareOf(part, value) : 0;
      shares[gene] = share;
      if (share > most) most = share;
    }
    if (!whole) most = 0;
    const rgb = !whole ? missing : most === 0 ? empty : mixture(corners, shares);
    bytes[4 * cell] = rgb[0];
    bytes[4 * cell + 1] = rgb[1];
    bytes[4 * cell + 2] = rgb[2];
    // Draws cells without a value below those that express none of the genes.
    bytes[4 * cell + 3] = whole ? Math.max(1, 255 * most) : 0;
  }
}
