import { formatCount } from '../lib/format';
import type { Entry, Legend } from './legend';
import type { Mark, Measure, Weight } from './marks';
import type { Palette } from './palette';
import { fitted, oneLine } from './text';

export interface Block {
  width: number;
  marks: Mark[];
}

const PADDING = 16;
const ROW = 22;
const HEADING = 30;
const DOT = 5.5;
const NAME_AT = 20;
const SIZE = 13;
const SMALL = 12;
const RAMP = { width: 148, height: 12 };
/** Maximum width of a name, in CSS pixels. */
const LONGEST = 190;
/** Maximum number of columns: more could be wider than the tissue. */
const COLUMNS = 2;
const BETWEEN = 16;

/** Lays out the legend with its upper left corner at `at`. Entries that do not fit into `height` are counted. */
export function legendBlock(
  legend: Legend,
  at: { x: number; y: number; height: number },
  palette: Palette,
  measure: Measure,
): Block {
  const left = at.x + PADDING;
  const marks: Mark[] = [];
  let widest = 0;
  const text = (
    content: string,
    x: number,
    y: number,
    how: { size?: number; weight?: Weight; quiet?: boolean },
  ) => {
    const { size = SIZE, weight = 400, quiet = false } = how;
    const shown = fitted(oneLine(content), LONGEST, size, weight, measure);
    marks.push({
      kind: 'text',
      x,
      y,
      text: shown,
      size,
      weight,
      anchor: 'start',
      fill: { color: quiet ? palette.muted : palette.ink },
    });
    widest = Math.max(widest, x - left + measure(shown, size, weight));
  };
  const row = (entry: Entry | string, x: number, top: number) => {
    const middle = top + ROW / 2;
    if (typeof entry === 'string') return text(entry, x + NAME_AT, middle + 4.5, { quiet: true });
    marks.push({ kind: 'dot', x: x + DOT, y: middle, radius: DOT, fill: { color: entry.color } });
    text(entry.name, x + NAME_AT, middle + 4.5, { quiet: entry.quiet ?? false });
  };

  let top = at.y + 12;
  text(legend.label, left, top + 15, { weight: 600 });
  top += HEADING;
  if (legend.kind === 'values') {
    const [low, high] = legend.limits;
    const { height } = RAMP;
    // Widen the ramp so that long limits do not overlap.
    const both = measure(low, SMALL, 400) + BETWEEN + measure(high, SMALL, 400);
    const width = Math.max(RAMP.width, Math.ceil(both));
    marks.push({ kind: 'ramp', x: left, y: top, width, height, radius: 4, colors: legend.colors });
    widest = Math.max(widest, width);
    top += height + 16;
    text(low, left, top, { size: SMALL, quiet: true });
    marks.push({
      kind: 'text',
      x: left + width,
      y: top,
      text: high,
      size: SMALL,
      weight: 400,
      anchor: 'end',
      fill: { color: palette.muted },
    });
    if (legend.note) {
      top += 18;
      text(legend.note, left, top, { size: SMALL, quiet: true });
    }
    top += 10;
  }
  const room = Math.max(1, Math.floor((at.y + at.height - 12 - top) / ROW));
  const { entries } = legend;
  const columns = entries.length > room ? COLUMNS : 1;
  const places = room * columns;
  const kept = entries.length > places ? entries.slice(0, places - 1) : entries;
  const lines: (Entry | string)[] = [...kept];
  const more = entries.length - kept.length;
  if (more > 0) lines.push(`… and ${formatCount(more)} more`);
  let x = left;
  for (let first = 0; first < lines.length; first += room) {
    if (first > 0) x = left + widest + BETWEEN;
    lines.slice(first, first + room).forEach((line, index) => {
      row(line, x, top + index * ROW);
    });
  }
  return { width: Math.ceil(widest) + 2 * PADDING, marks };
}
