import type { ScaleBar } from '../lib/scale-bar';
import type { Legend } from './legend';
import { legendBlock } from './legend-layout';
import type { Mark, Measure } from './marks';
import type { Palette } from './palette';
import { fitted, oneLine } from './text';

/** What is on a picture; null for what is left out. */
export interface Contents {
  /** The tissue in view, CSS pixels */
  width: number;
  height: number;
  title: { name: string; about: string } | null;
  legend: Legend | null;
  scaleBar: ScaleBar | null;
  transparent: boolean;
  palette: Palette;
}

/** A picture before it has pixels: every output draws the same marks. */
export interface Layout {
  /** CSS pixels */
  width: number;
  height: number;
  marks: Mark[];
}

const TITLE_HEIGHT = 44;
const TITLE_SIZE = 15;
const EDGE = 12;

/** Title above, legend beside: neither covers the tissue. */
export function layoutPicture(contents: Contents, measure: Measure): Layout {
  const { palette, transparent } = contents;
  const top = contents.title === null ? 0 : TITLE_HEIGHT;
  const height = top + contents.height;
  const at = { x: contents.width, y: top, height: contents.height };
  const legend = contents.legend && legendBlock(contents.legend, at, palette, measure);
  const width = contents.width + (legend?.width ?? 0);
  const marks: Mark[] = [];
  const fill = (x: number, y: number, w: number, h: number, color: Palette['ground']) => {
    if (!transparent) marks.push({ kind: 'rect', x, y, width: w, height: h, fill: { color } });
  };
  fill(0, 0, width, height, palette.panel);
  fill(0, top, contents.width, contents.height, palette.ground);
  marks.push({ kind: 'tissue', x: 0, y: top, width: contents.width, height: contents.height });
  const border = (x0: number, y0: number, x1: number, y1: number) => {
    if (transparent) return;
    const points = [[x0, y0] as const, [x1, y1] as const];
    marks.push({ kind: 'line', points, width: 1, paint: { color: palette.line } });
  };
  if (contents.title !== null) {
    // Half a pixel down: a line of one pixel lies on one row of them.
    const line = TITLE_HEIGHT - 0.5;
    border(0, line, width, line);
    marks.push(...titleMarks(contents.title, width, palette, measure));
  }
  if (legend) {
    const x = contents.width + 0.5;
    border(x, top, x, height);
    marks.push(...legend.marks);
  }
  if (contents.scaleBar) marks.push(...scaleBarMarks(contents.scaleBar, height, palette, measure));
  return { width, height, marks };
}

function titleMarks(
  { name, about }: { name: string; about: string },
  width: number,
  palette: Palette,
  measure: Measure,
): Mark[] {
  const y = 28;
  const text = fitted(oneLine(name), width - 32, TITLE_SIZE, 600, measure);
  const after = 16 + measure(text, TITLE_SIZE, 600) + 10;
  const plain = { kind: 'text', y, anchor: 'start' } as const;
  const marks: Mark[] = [
    { ...plain, x: 16, text, size: TITLE_SIZE, weight: 600, fill: { color: palette.ink } },
  ];
  if (after + measure(about, 13, 400) <= width - 16)
    marks.push({ ...plain, x: after, text: about, size: 13, weight: 400, fill: { color: palette.muted } });
  return marks;
}

/** A card as on the page: a bar straight on the tissue would be lost in its colours. */
function scaleBarMarks(bar: ScaleBar, bottom: number, palette: Palette, measure: Measure): Mark[] {
  const size = 13;
  const width = Math.ceil(Math.max(bar.width, measure(bar.label, size, 400))) + 24;
  const height = 40;
  const x = EDGE;
  const y = bottom - EDGE - height;
  const foot = y + height - 9.5;
  const start = x + 12.5;
  return [
    {
      kind: 'rect',
      x: x + 0.5,
      y: y + 0.5,
      width: width - 1,
      height: height - 1,
      radius: 9.5,
      fill: { color: palette.panel },
      line: { color: palette.line },
    },
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
