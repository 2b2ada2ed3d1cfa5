import { cssColor, parseColor, type Rgb } from './color';

/** Evenly spaced stops of each color map; `rdbu` is diverging, for signed values, with white at the center. */
const STOPS = {
  viridis:
    '440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725',
  magma:
    '000004 0b0924 20114b 3b0f70 57157e 721f81 8c2981 a8327d c43c75 de4968 f1605d fa7f5e fe9f6d febf84 fddea0 fcfdbf',
  inferno:
    '000004 0c0826 240c4f 420a68 5d126e 781c6d 932667 ae305c c73e4c dd513a ed6925 f8850f fca50a fac62d f2e661 fcffa4',
  cividis:
    '00224e 002e6c 1e3a6f 35456c 47516c 575d6d 666970 757575 848279 948e77 a59c74 b7a96e c8b866 dbc75a eed649 fee838',
  greys: 'ebedf0 1b1f24',
  rdbu: '053061 185493 2c75b4 4393c3 78b4d5 a7d0e4 d1e5f0 eaf1f5 f9eee7 fddbc7 f7b799 ea8e70 d6604d be3036 991027 67001f',
} as const;

export type Colormap = keyof typeof STOPS;
export const COLORMAPS = Object.keys(STOPS) as Colormap[];
const TABLES = new Map(
  Object.entries(STOPS).map(([name, text]) => [name, text.split(' ').map((hex) => parseColor(`#${hex}`))]),
);
const GRADIENT_STEPS = 24;

/** Returns the color of the map at `t`, clamped to 0..1. */
export function colorAt(map: Colormap, t: number): Rgb {
  const stops = TABLES.get(map) ?? [];
  const at = Math.min(1, Math.max(0, t)) * (stops.length - 1);
  const index = Math.max(0, Math.min(stops.length - 2, Math.floor(at)));
  const low = stops[index] ?? [0, 0, 0];
  const high = stops[index + 1] ?? low;
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(low[channel] + (high[channel] - low[channel]) * (at - index));
  return [mix(0), mix(1), mix(2)];
}

/** Returns the color map as 256 RGBA texels. */
export function rampOf(map: Colormap, reversed: boolean): Uint8Array {
  const ramp = new Uint8Array(256 * 4);
  for (let i = 0; i < 256; i++) ramp.set([...colorAt(map, (reversed ? 255 - i : i) / 255), 255], i * 4);
  return ramp;
}

/** Returns log1p of the magnitude with the sign of the value. */
export function signedLog1p(value: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value));
}

/** Maps values to the colors that the tissue shows. */
export interface ColorScale {
  /** Lower and upper limit, in units of the values. */
  readonly range: readonly [number, number];
  /** Position within the limits: 0 at the lower, 1 at the upper, clamped. */
  share(value: number): number;
  rgb(value: number): Rgb;
  css(value: number): string;
  /** CSS gradient over the values `from` to `to`, linear in the values (not in their logarithm). */
  gradient(from: number, to: number): string;
}

export function colorScale(options: {
  map: Colormap;
  reversed: boolean;
  log: boolean;
  range: readonly [number, number];
}): ColorScale {
  const { map, reversed, log } = options;
  const [low, high] = log ? options.range.map(signedLog1p) : options.range;
  const share = (value: number) => {
    const at = log ? signedLog1p(value) : value;
    const from = low ?? 0;
    const to = high ?? 1;
    return to > from ? Math.min(1, Math.max(0, (at - from) / (to - from))) : 0;
  };
  const rgb = (value: number) => colorAt(map, reversed ? 1 - share(value) : share(value));
  const css = (value: number) => cssColor(rgb(value));
  return {
    range: options.range,
    share,
    rgb,
    css,
    gradient(from, to) {
      const steps = Array.from({ length: GRADIENT_STEPS }, (_, i) => i / (GRADIENT_STEPS - 1));
      return `linear-gradient(90deg, ${steps.map((t) => css(from + t * (to - from))).join(', ')})`;
    },
  };
}
