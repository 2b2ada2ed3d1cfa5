import { ARROW, axesLines } from '../lib/axes';
import type { ScaleBar } from '../lib/scale-bar';
import { LABEL, type Label } from './labels';
import type { Legend } from './legend';
import { legendBlock } from './legend-layout';
import type { Mark, Measure } from './marks';
import type { Palette } from './palette';
import { fitted, oneLine } from './text';

/** The contents of one view. */
export interface Pane {
  /** CSS pixels */
  width: number;
  height: number;
  scaleBar: ScaleBar | null;
  /** Axis label of an embedding, without the number of the axis; null for the tissue. */
  axes: string | null;
  /** Names of categories on their cells. */
  labels: readonly Label[];
  /** Names above sections: the middle of their lower edge and the available width, in CSS pixels. */
  titles: readonly { x: number; y: number; width: number; text: string }[];
}

/** The contents of a picture; null for parts that are omitted. */
export interface Contents {
  /** From left to right */
  panes: readonly Pane[];
  title: { name: string; about: string } | null;
  legend: Legend | null;
  transparent: boolean;
  palette: Palette;
}

/** A picture as a list of marks, which both PNG and SVG output draw. */
export interface PictureLayout {
  /** CSS pixels */
  width: number;
  height: number;
  marks: Mark[];
}

const TITLE_HEIGHT = 44;
const TITLE_SIZE = 15;
const EDGE = 12;
const SECTION = { size: 12, height: 18, padding: 6, least: 36 };

/** Lays out a picture. The title is above the tissue and the legend to its right; neither covers it. */
export function layoutPicture(contents: Contents, measure: Measure): PictureLayout {
  const { palette, transparent } = contents;
  const top = contents.title === null ? 0 : TITLE_HEIGHT;
  const tallest = Math.max(...contents.panes.map((pane) => pane.height));
  const shown = contents.panes.reduce((sum, pane) => sum + pane.width, 0);
  const at = { x: shown, y: top, width: shown, height: tallest };
  const legend = contents.legend && legendBlock(contents.legend, at, palette, measure);
  const height = top + Math.max(tallest, legend?.height ?? 0);
  const width = shown + (legend?.width ?? 0);
  const marks: Mark[] = [];
  const fill = (x: number, y: number, w: number, h: number, color: Palette['ground']) => {
    if (!transparent) marks.push({ kind: 'rect', x, y, width: w, height: h, fill: { color } });
  };
  fill(0, 0, width, height, palette.panel);
  fill(0, top, shown, tallest, palette.ground);
  const border = (x0: number, y0: number, x1: number, y1: number) => {
    if (transparent) return;
    const points = [[x0, y0] as const, [x1, y1] as const];
    marks.push({ kind: 'line', points, width: 1, paint: { color: palette.line } });
  };
  let left = 0;
  contents.panes.forEach((pane, number) => {
    marks.push({ kind: 'tissue', pane: number, x: left, y: top, width: pane.width, height: pane.height });
    if (number > 0) border(left + 0.5, top, left + 0.5, top + tallest);
    marks.push(...labelMarks(pane, { x: left, y: top }, palette));
    marks.push(...sectionMarks(pane, { x: left, y: top }, palette, measure));
    if (pane.scaleBar)
      marks.push(...scaleBarMarks(pane.scaleBar, { x: left, bottom: top + pane.height }, palette, measure));
    if (pane.axes !== null)
      marks.push(...axesMarks(pane, { x: left, bottom: top + pane.height }, palette, measure));
    left += pane.width;
  });
  if (contents.title !== null) {
    // Offset by half a pixel, so that a line of one pixel covers exactly one row of pixels.
    const line = TITLE_HEIGHT - 0.5;
    border(0, line, width, line);
    marks.push(...titleMarks(contents.title, width, palette, measure));
  }
  if (legend) {
    const x = shown + 0.5;
    border(x, top, x, height);
    marks.push(...legend.marks);
  }
  return { width, height, marks };
}

function titleMarks(
  { name, about }: { name: string; about: string },
  width: number,
  palette: Palette,
  measure: Measure,
): Mark[] {
  const text = fitted(oneLine(name), width - 32, TITLE_SIZE, 600, measure);
  const after = 16 + measure(text, TITLE_SIZE, 600) + 10;
  const fits = after + measure(about, 13, 400) <= width - 16;
  const plain = { kind: 'text', anchor: 'start' } as const;
  const heading = { text, size: TITLE_SIZE, weight: 600, fill: { color: palette.ink } } as const;
  const muted = { weight: 400, fill: { color: palette.muted } } as const;
  if (fits)
    return [
      { ...plain, ...heading, x: 16, y: 28 },
      { ...plain, ...muted, x: after, y: 28, text: about, size: 13 },
    ];
  // If both do not fit on one line, the count goes on a second line.
  const below = fitted(about, width - 32, 12, 400, measure);
  return [
    { ...plain, ...heading, x: 16, y: 20 },
    { ...plain, ...muted, x: 16, y: 36, text: below, size: 12 },
  ];
}

/** Names of categories on their cells. An outline keeps them readable on any color. */
function labelMarks({ labels }: Pane, at: { x: number; y: number }, palette: Palette): Mark[] {
  return labels.map(({ text, x, y }) => ({
    kind: 'text',
    x: at.x + x,
    y: at.y + y,
    text,
    size: LABEL.size,
    weight: LABEL.weight,
    anchor: 'middle',
    fill: { color: palette.ink },
    halo: { color: palette.ground },
  }));
}

/** Section names, as on the page, each on its own background because the image may be below. */
function sectionMarks(
  { titles, width, height }: Pane,
  at: { x: number; y: number },
  palette: Palette,
  measure: Measure,
): Mark[] {
  return titles.flatMap(({ x, y, width: room, text }): Mark[] => {
    const shown = fitted(oneLine(text), room - 2 * SECTION.padding, SECTION.size, 400, measure);
    const wide = measure(shown, SECTION.size, 400) + 2 * SECTION.padding;
    const up = y - SECTION.height - 2;
    // Omit names that the edge of the picture would cut.
    if (room < SECTION.least || !shown || x - wide / 2 < 0 || x + wide / 2 > width || up < 0 || y > height)
      return [];
    return [
      {
        kind: 'rect',
        x: at.x + x - wide / 2,
        y: at.y + up,
        width: wide,
        height: SECTION.height,
        radius: 6,
        fill: { color: palette.panel },
      },
      {
        kind: 'text',
        x: at.x + x,
        y: at.y + up + 13,
        text: shown,
        size: SECTION.size,
        weight: 400,
        anchor: 'middle',
        fill: { color: palette.ink },
      },
    ];
  });
}

/** The scale bar on a card, as on the page: directly on the tissue it would be hard to see. */
function scaleBarMarks(
  bar: ScaleBar,
  at: { x: number; bottom: number },
  palette: Palette,
  measure: Measure,
): Mark[] {
  const size = 13;
  const width = Math.ceil(Math.max(bar.width, measure(bar.label, size, 400))) + 24;
  const height = 40;
  const x = at.x + EDGE;
  const y = at.bottom - EDGE - height;
  const foot = y + height - 9.5;
  const start = x + 12.5;
  return [
    cardMark(x, y, width, height, palette),
    {
      kind: 'text',
      x: x + 12,
      y: y + 19,
      text: bar.label,
      size,
      weight: 400,
      anchor: 'start',
      fill: { color: palette.ink },
    },
    {
      kind: 'line',
      points: [
        [start, foot - 4.5],
        [start, foot],
        [start + bar.width - 1, foot],
        [start + bar.width - 1, foot - 4.5],
      ],
      width: 1,
      paint: { color: palette.ink },
    },
  ];
}

/** The axes of an embedding: the first to the right, the second up. */
function axesMarks(
  { axes, width }: Pane,
  at: { x: number; bottom: number },
  palette: Palette,
  measure: Measure,
): Mark[] {
  const size = 12;
  const name = fitted(oneLine(axes ?? ''), Math.min(160, width - 2 * EDGE - ARROW - 48), size, 400, measure);
  const [first, second] = [`${name} 1`, `${name} 2`];
  const room = Math.ceil(Math.max(ARROW + 6 + measure(first, size, 400), measure(second, size, 400)));
  const height = ARROW + 34;
  const [x, y] = [at.x + EDGE, at.bottom - EDGE - height];
  const foot = y + height - 8;
  const text = (text: string, left: number, line: number): Mark => ({
    kind: 'text',
    x: left,
    y: line,
    text,
    size,
    weight: 400,
    anchor: 'start',
    fill: { color: palette.ink },
  });
  return [
    cardMark(x, y, room + 24, height, palette),
    text(second, x + 12, y + 18),
    ...axesLines(x + 12, foot).map(
      (points): Mark => ({ kind: 'line', points, width: 1, paint: { color: palette.ink } }),
    ),
    text(first, x + 12 + ARROW + 6, foot - 0.5),
  ];
}

/** The background of text on the tissue, as on the page. */
function cardMark(x: number, y: number, width: number, height: number, palette: Palette): Mark {
  return {
    kind: 'rect',
    x: x + 0.5,
    y: y + 0.5,
    width: width - 1,
    height: height - 1,
    radius: 9.5,
    fill: { color: palette.panel },
    line: { color: palette.line },
  };
}
