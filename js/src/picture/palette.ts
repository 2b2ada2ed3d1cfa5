import { parseColour, type Rgb } from '../lib/colour';

/** The colors of the interface in the current theme. */
export interface Palette {
  ground: Rgb;
  panel: Rgb;
  ink: Rgb;
  muted: Rgb;
  line: Rgb;
}

export const LIGHT: Palette = {
  ground: parseColour('#f6f7f9'),
  panel: parseColour('#ffffff'),
  ink: parseColour('#17202b'),
  muted: parseColour('#5b6775'),
  line: parseColour('#e3e7ec'),
};

/** Reads the palette from the computed styles, so that pictures match the page. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const of = (name: keyof Palette): Rgb => {
    const text = style.getPropertyValue(`--${name}`);
    return text ? parseColour(text) : LIGHT[name];
  };
  return {
    ground: of('ground'),
    panel: of('panel'),
    ink: of('ink'),
    muted: of('muted'),
    line: of('line'),
  };
}
