import { parseColor, type Rgb } from '../lib/color';

/** The colors of the interface in the current theme. */
export interface Palette {
  ground: Rgb;
  panel: Rgb;
  ink: Rgb;
  muted: Rgb;
  line: Rgb;
}

export const LIGHT: Palette = {
  ground: parseColor('#f6f7f9'),
  panel: parseColor('#ffffff'),
  ink: parseColor('#17202b'),
  muted: parseColor('#5b6775'),
  line: parseColor('#e3e7ec'),
};

/** Reads the palette from the computed styles, so that pictures match the page. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const of = (name: keyof Palette): Rgb => {
    const text = style.getPropertyValue(`--${name}`);
    return text ? parseColor(text) : LIGHT[name];
  };
  return {
    ground: of('ground'),
    panel: of('panel'),
    ink: of('ink'),
    muted: of('muted'),
    line: of('line'),
  };
}
