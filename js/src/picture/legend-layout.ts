import { formatCount } from '../lib/format';
import type { Entry, Legend } from './legend';
import type { Mark, Measure, Weight } from './marks';
import type { Palette } from './palette';
import { oneLine, wrapped } from './text';

export interface Block {
  width: number;
  /** May exceed the height of the tissue, to keep the picture compact. */
  height: number;
  marks: Mark[];
}

const PADDING_X = 16;
const PADDING_Y = 12;
/** Of the label and the note. */
const LINE_HEIGHT = 18;
/** Font size of the limits and the note. */
const SMALL = 12;
const RAMP = { width: 148, height: 12 };
/** Maximum width of a line, in CSS pixels. Longer texts take several lines. */
const LONGEST = 240;
/** Between columns, and between the two limits. */
const GAP = 16;
/** Width to height of a compact picture. */
const ASPECT = 2;
/** Maximum number of entries, as in the panel. The last line states how many were omitted. */
const MAX_ENTRIES = 300;
/** Maximum number of lines of one name: readable names need fewer. */
const MAX_LINES = 8;

/** Dimensions of the entries, in CSS pixels. */
interface Style {
  size: number;
  /** Height of an entry with one line. */
  row: number;
  /** Height of each further line of a name. */
  line: number;
  /** Radius of the dot. */
  dot: number;
  /** Offset of the name from the left edge of the entry. */
  nameAt: number;
}
const ROOMY: Style = { size: 13, row: 22, line: 16, dot: 5.5, nameAt: 20 };
/** For legends of many categories, which would be larger than the tissue. */
const DENSE: Style = { size: 11, row: 16, line: 13, dot: 4.5, nameAt: 15 };
const DENSE_ABOVE = 40;

/** An entry with the lines of its name. The item that counts the omitted entries has no color. */
interface Item {
  lines: string[];
  color: Entry['color'] | null;
  quiet: boolean;
  width: number;
  height: number;
}

/** Lays out the legend with its upper left corner at `at`, next to a tissue of the given size. */
export function legendBlock(
  legend: Legend,
  at: { x: number; y: number; width: number; height: number },
  palette: Palette,
  measure: Measure,
): Block {
  const left = at.x + PADDING_X;
  const marks: Mark[] = [];
  let widest = 0;
  const text = (content: string, x: number, y: number, size: number, weight: Weight, quiet: boolean) => {
    const fill = { color: quiet ? palette.muted : palette.ink };
    marks.push({ kind: 'text', x, y, text: content, size, weight, anchor: 'start', fill });
  };
  /** Writes text, wrapped to several lines if necessary, and returns its lower edge. */
  const paragraph = (content: string, top: number, size: number, weight: Weight, quiet: boolean): number => {
    const lines = linesOf(content, size, weight, measure);
    lines.forEach((line, index) => {
      text(line, left, top + index * LINE_HEIGHT, size, weight, quiet);
      widest = Math.max(widest, measure(line, size, weight));
    });
    return top + lines.length * LINE_HEIGHT;
  };

  let top = paragraph(legend.label, at.y + PADDING_Y + 15, ROOMY.size, 600, false) - 3;
  if (legend.kind === 'values') {
    const [low, high] = legend.limits;
    const { height } = RAMP;
    // Widen the ramp so that long limits do not overlap.
    const both = measure(low, SMALL, 400) + GAP + measure(high, SMALL, 400);
    const width = Math.max(RAMP.width, Math.ceil(both));
    marks.push({ kind: 'ramp', x: left, y: top, width, height, radius: 4, colors: legend.colors });
    widest = Math.max(widest, width);
    top += height + 16;
    text(low, left, top, SMALL, 400, true);
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
    if (legend.note) top = paragraph(legend.note, top + 18, SMALL, 400, true) - LINE_HEIGHT;
    top += 10;
  }
  const style = legend.entries.length > DENSE_ABOVE ? DENSE : ROOMY;
  const items = itemsOf(legend.entries, style, measure);
  const columns = inColumns(items, at.y + at.height - PADDING_Y - top, at.width);
  let x = left;
  let bottom = top;
  for (const column of columns) {
    let y = top;
    for (const item of column) {
      const middle = y + style.row / 2;
      if (item.color)
        marks.push({
          kind: 'dot',
          x: x + style.dot,
          y: middle,
          radius: style.dot,
          fill: { color: item.color },
        });
      item.lines.forEach((line, index) => {
        text(
          line,
          x + style.nameAt,
          middle + 0.35 * style.size + index * style.line,
          style.size,
          400,
          item.quiet,
        );
      });
      y += item.height;
    }
    bottom = Math.max(bottom, y);
    const end = x - left + widthOf(column);
    widest = Math.max(widest, end);
    x = left + end + GAP;
  }
  return { width: Math.ceil(widest) + 2 * PADDING_X, height: Math.ceil(bottom + PADDING_Y - at.y), marks };
}

function linesOf(content: string, size: number, weight: Weight, measure: Measure): string[] {
  const lines = wrapped(oneLine(content), LONGEST, size, weight, measure);
  return lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES - 1), `${lines[MAX_LINES - 1]}…`] : lines;
}

function itemsOf(entries: readonly Entry[], style: Style, measure: Measure): Item[] {
  const itemOf = (name: string, color: Item['color'], quiet: boolean): Item => {
    const lines = linesOf(name, style.size, 400, measure);
    return {
      lines,
      color,
      quiet,
      width: style.nameAt + Math.max(...lines.map((line) => measure(line, style.size, 400))),
      height: style.row + (lines.length - 1) * style.line,
    };
  };
  const more = entries.length - MAX_ENTRIES;
  const listed = entries.slice(0, MAX_ENTRIES);
  const items = listed.map(({ name, color, quiet }) => itemOf(name, color, quiet ?? false));
  return more > 0 ? [...items, itemOf(`… and ${formatCount(more)} more`, null, true)] : items;
}

const widthOf = (column: readonly Item[]) => Math.max(...column.map(({ width }) => width));

/**
 * Distributes the items over columns of at most `height`. If the legend would be much wider than the tissue,
 * makes the columns longer, with the number of columns that gives the most compact picture.
 */
function inColumns(items: readonly Item[], height: number, tissue: number): Item[][] {
  const filled = (most: number): Item[][] => {
    const columns: Item[][] = [];
    let used = Infinity;
    for (const item of items) {
      if (used + item.height > most) {
        columns.push([]);
        used = 0;
      }
      columns.at(-1)?.push(item);
      used += item.height;
    }
    return columns;
  };
  const total = items.reduce((sum, item) => sum + item.height, 0);
  const tallest = items.reduce((most, item) => Math.max(most, item.height), 0);
  let best: { columns: Item[][]; cost: number } | null = null;
  for (let count = 1; count <= items.length; count++) {
    const most = Math.max(height, tallest, total / count + tallest);
    const columns = filled(most);
    const wide = columns.reduce((sum, column) => sum + widthOf(column) + GAP, 0);
    const used = Math.max(...columns.map((column) => column.reduce((sum, item) => sum + item.height, 0)));
    const cost = Math.max((tissue + wide) / ASPECT, height, used);
    if (!best || cost < best.cost) best = { columns, cost };
    if (most === height) break;
  }
  return best?.columns ?? [];
}
