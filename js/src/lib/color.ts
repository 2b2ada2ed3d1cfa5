import { PALETTES } from '../contract/palettes';

export type Rgb = readonly [number, number, number];

const listOf = (text: string): readonly string[] => text.split(' ').map((color) => `#${color}`);

/** Category palettes; `safe` is for color-blind readers. */
export const CATEGORY_PALETTES = {
  distinct: listOf(PALETTES.distinct),
  safe: listOf(PALETTES.safe),
} as const;
export type CategoryPalette = keyof typeof CATEGORY_PALETTES;

/** Colors for bundles without their own. */
export const PALETTE = CATEGORY_PALETTES.distinct;

/** Color of cells without a value. */
export const MISSING_COLOR = '#b4bac3';

/** Color of cells when neither a gene nor an annotation colors the tissue. */
export const PLAIN_COLOR = '#7d8896';

/**
 * Returns the color of the category at `index`: one of a hundred distinct colors, then generated ones, like the
 * exporter. More than a hundred cannot be told apart by eye.
 */
export function paletteColor(index: number, name: CategoryPalette = 'distinct'): string {
  const palette = CATEGORY_PALETTES[name];
  return palette[index] ?? furtherColor(index - palette.length);
}

/** Generates further colors; steps by the golden ratio spread any number of hues evenly. */
function furtherColor(index: number): string {
  const hue = (0.07 + index * 0.618033988749895) % 1;
  const lightness = [0.42, 0.62, 0.76][index % 3] ?? 0.5;
  const reach = ([0.62, 0.55][index % 2] ?? 0.6) * Math.min(lightness, 1 - lightness);
  const channel = (turn: number) => {
    const at = (hue * 12 + turn) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return hexColor([channel(0), channel(8), channel(4)]);
}

const HEX = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;

/** Formats a color as `#rrggbb`, as color inputs require. */
export function hexColor(rgb: Rgb): string {
  return `#${rgb.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** Returns a hex color as `#rrggbb`, else gray. Used as a style, any other text could load an external image. */
export function safeColor(text: unknown): string {
  return typeof text === 'string' && HEX.test(text.trim()) ? hexColor(parseColor(text)) : MISSING_COLOR;
}

/**
 * Parses `#rgb` or `#rrggbb`, ignoring an alpha channel. Returns gray for anything else: one invalid entry must not
 * abort loading.
 */
export function parseColor(text: string): Rgb {
  const hex = HEX.exec(text.trim())?.[1];
  if (!hex) return [180, 186, 195];
  const six = hex.length < 6 ? hex.slice(0, 3).replace(/./g, '$&$&') : hex.slice(0, 6);
  const value = Number.parseInt(six, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Parses a computed CSS color, `rgb(…)` or `rgba(…)`. Returns null if it is fully transparent. */
export function parseCssColor(text: string): Rgb | null {
  const [r, g, b, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
  if (!/^rgba?\(/.test(text) || r === undefined || g === undefined || b === undefined || alpha === 0)
    return null;
  return [r, g, b];
}

export function cssColor([r, g, b]: Rgb): string {
  return `rgb(${r}, ${g}, ${b})`;
}
