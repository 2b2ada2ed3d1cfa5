import type { Rgb } from '../lib/colour';

/** Colours are numbers, never text: what a bundle calls a colour must not reach a stylesheet. */
export interface Paint {
  color: Rgb;
}

export type Weight = 400 | 600;

/** What a picture is made of, back to front, in CSS pixels. Drawn on a canvas or written as SVG. */
export type Mark =
  | {
      kind: 'rect';
      x: number;
      y: number;
      width: number;
      height: number;
      radius?: number;
      fill: Paint;
      line?: Paint;
    }
  /** A rectangle whose colours run from left to right, evenly spaced. */
  | { kind: 'ramp'; x: number; y: number; width: number; height: number; radius: number; colors: Rgb[] }
  | { kind: 'dot'; x: number; y: number; radius: number; fill: Paint }
  | { kind: 'line'; points: readonly (readonly [number, number])[]; width: number; paint: Paint }
  /** `y` is the line that letters stand on. */
  | {
      kind: 'text';
      x: number;
      y: number;
      text: string;
      size: number;
      weight: Weight;
      anchor: 'start' | 'middle' | 'end';
      fill: Paint;
    }
  /** Where what a window shows goes, by the number of the window. */
  | { kind: 'tissue'; pane: number; x: number; y: number; width: number; height: number };

export type TextMark = Extract<Mark, { kind: 'text' }>;

/** How wide a text is, in CSS pixels. */
export type Measure = (text: string, size: number, weight: Weight) => number;

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
