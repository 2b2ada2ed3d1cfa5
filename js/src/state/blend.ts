import type { GeneValues } from '../data/genes';
import { parseColour, type Rgb } from '../lib/colour';

/**
 * The colour of each set of genes, by bits: 1 the first, 2 the second, 4 the third. Those of single genes are told apart
 * by colour-blind eyes, too; cells in between are mixed from these corners.
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
  return Array.from({ length: 8 }, (_, bits) => parseColour(all[bits] ?? ''));
}

/** The mixture at shares from 0 to 1 of up to three genes. */
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

/** How much of a gene a value is: 0 at its lower robust limit, 1 at its upper. */
export function shareOf({ summary }: Pick<GeneValues, 'summary'>, value: number): number {
  const { lower, upper } = summary;
  return upper > lower && Number.isFinite(value)
    ? Math.min(1, Math.max(0, (value - lower) / (upper - lower)))
    : 0;
}

/** Red, green, blue of each cell and, as alpha, its strongest share: what is strong lies on top. */
export function blended(parts: readonly GeneValues[], dark: boolean): Uint32Array {
  const corners = cornersOf(dark);
  const count = parts[0]?.values.length ?? 0;
  const bytes = new Uint8Array(count * 4);
  const shares = new Array<number>(parts.length).fill(0);
  const empty = corners[0] ?? [0, 0, 0];
  for (let cell = 0; cell < count; cell++) {
    let most = 0;
    for (let gene = 0; gene < parts.length; gene++) {
      const part = parts[gene];
      const share = part ? shareOf(part, part.values[cell] ?? 0) : 0;
      shares[gene] = share;
      if (share > most) most = share;
    }
    const rgb = most === 0 ? empty : mixture(corners, shares);
    bytes[4 * cell] = rgb[0];
    bytes[4 * cell + 1] = rgb[1];
    bytes[4 * cell + 2] = rgb[2];
    bytes[4 * cell + 3] = 255 * most;
  }
  return new Uint32Array(bytes.buffer);
}
