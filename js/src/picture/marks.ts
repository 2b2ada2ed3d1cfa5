import type { Rgb } from '../lib/color';

/** Colors are numbers, never text, so that color strings of a bundle cannot reach a stylesheet. */
export interface MarkColor {
  color: Rgb;
}

export type Weight = 400 | 600;

/** An element of a picture, listed back to front, in CSS pixels. Drawn on a canvas or written as SVG. */
export type Mark =
  | {
      kind: 'rect';
      x: number;
      y: number;
      width: number;
      height: number;
      radius?: number;
      fill: MarkColor;
      line?: MarkColor;
    }
  /** A horizontal gradient of evenly spaced colors. */
  | { kind: 'ramp'; x: number; y: number; width: number; height: number; radius: number; colors: Rgb[] }
  | { kind: 'dot'; x: number; y: number; radius: number; fill: MarkColor }
  | { kind: 'line'; points: readonly (readonly [number, number])[]; width: number; paint: MarkColor }
  /** `y` is the baseline. */
  | {
      kind: 'text';
      x: number;
      y: number;
      text: string;
      size: number;
      weight: Weight;
      anchor: 'start' | 'middle' | 'end';
      fill: MarkColor;
      /** An outline behind the text, for text on the cells. */
      halo?: MarkColor;
    }
  /** The area of the tissue of view number `pane`. */
  | { kind: 'tissue'; pane: number; x: number; y: number; width: number; height: number };

export type TextMark = Extract<Mark, { kind: 'text' }>;

/** Width of the outline of text; half of it is outside the letters. */
export const HALO_WIDTH = 3;

/** Returns the width of a text in CSS pixels. */
export type Measure = (text: string, size: number, weight: Weight) => number;

/** The fonts of the page, as in `base.css`: the labels of the page are measured with them, too. */
export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
