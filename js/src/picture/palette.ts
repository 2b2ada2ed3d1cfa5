import { parseColour, type Rgb } from '../lib/colour';

/** The colours of the interface, as they are where the picture is taken. */
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

/** Read from the styles, so that a picture cannot differ from the page. */
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
