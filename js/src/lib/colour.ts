export type Rgb = readonly [number, number, number];

/** For bundles that bring no colours: 20 hues that stay apart for most eyes. */
export const PALETTE: readonly string[] = [
  '#4269d0',
  '#efb118',
  '#ff725c',
  '#6cc5b0',
  '#3ca951',
  '#ff8ab7',
  '#a463f2',
  '#97bbf5',
  '#9c6b4e',
  '#9498a0',
  '#1f77b4',
  '#b5bd61',
  '#d62728',
  '#17becf',
  '#2ca02c',
  '#e377c2',
  '#7f4fbf',
  '#aec7e8',
  '#c49c94',
  '#636b77',
];

/** Cells without a value. */
export const MISSING_COLOUR = '#b4bac3';

/** Cells when nothing colours the tissue. */
export const PLAIN_COLOUR = '#7d8896';

export function paletteColour(index: number): string {
  return PALETTE[index % PALETTE.length] ?? MISSING_COLOUR;
}

/** `#rgb`, `#rrggbb` or `#rrggbbaa`; a colour that cannot be read is grey: one bad entry must not stop a load. */
export function parseColour(text: string): Rgb {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})$/i.exec(text.trim())?.[1];
  if (!hex) return [180, 186, 195];
  const six = hex.length === 3 ? hex.replace(/./g, '$&$&') : hex.slice(0, 6);
  const value = Number.parseInt(six, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** What a browser says of a computed colour, `rgb(…)` or `rgba(…)`; null where nothing of it is seen. */
export function parseCssColour(text: string): Rgb | null {
  const [r, g, b, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
  if (!/^rgba?\(/.test(text) || r === undefined || g === undefined || b === undefined || alpha === 0)
    return null;
  return [r, g, b];
}

export function cssColour([r, g, b]: Rgb): string {
  return `rgb(${r}, ${g}, ${b})`;
}

const VIRIDIS = [
  '#440154',
  '#481a6c',
  '#472f7d',
  '#414487',
  '#39568c',
  '#31688e',
  '#2a788e',
  '#23888e',
  '#1f988b',
  '#22a884',
  '#35b779',
  '#54c568',
  '#7ad151',
  '#a5db36',
  '#d2e21b',
  '#fde725',
].map(parseColour);

/** Viridis at `t` in 0..1. */
export function viridis(t: number): Rgb {
  const at = Math.min(1, Math.max(0, t)) * (VIRIDIS.length - 1);
  const index = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const low = VIRIDIS[index] ?? [0, 0, 0];
  const high = VIRIDIS[index + 1] ?? low;
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(low[channel] + (high[channel] - low[channel]) * (at - index));
  return [mix(0), mix(1), mix(2)];
}

export function viridisRamp(): Uint8Array {
  const ramp = new Uint8Array(256 * 4);
  for (let i = 0; i < 256; i++) ramp.set([...viridis(i / 255), 255], i * 4);
  return ramp;
}

export function viridisGradient(): string {
  return `linear-gradient(90deg, ${VIRIDIS.map(cssColour).join(', ')})`;
}
