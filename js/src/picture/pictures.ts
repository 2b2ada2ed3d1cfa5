import { effect } from '@preact/signals';
import { project } from '../lib/camera';
import { shownText } from '../lib/counts';
import { PictureError } from '../lib/errors';
import { scaleBar } from '../lib/scale-bar';
import { arrangementOf, noteOf } from '../state/arrangement';
import { embeddingLabel, layoutLabel, placedCount } from '../state/layout';
import { labelOf } from '../state/loader';
import { meaningOf } from '../state/meaning';
import type { Model } from '../state/model';
import { visibleTest } from '../state/selection';
import { drawLayout, largeCanvas, measureText, pngOf } from './canvas';
import { fileName } from './file-name';
import { type Layout, layoutPicture, type Pane } from './layout';
import { legendOf } from './legend';
import type { Palette } from './palette';
import { svgOf } from './svg';
import { cellsInView, csvOf } from './table';

export interface PictureOptions {
  /** Pixels of the picture per CSS pixel of the page: 2 when not given. Of an SVG, those of its tissue. */
  scale?: number;
  format?: 'png' | 'svg';
  /** Each is there unless it is false. */
  legend?: boolean;
  scaleBar?: boolean;
  title?: boolean;
  /** What stands beside, too, where something does. */
  beside?: boolean;
  /** No colour behind the tissue and the legend. */
  transparent?: boolean;
}

/** A window, and who can draw what is in view in it at any resolution. */
export interface Shown {
  model: Model;
  paint(into: CanvasRenderingContext2D, x: number, y: number, scale: number): void;
  /** Resolves when what was painted is there to be read. */
  idle(): Promise<void>;
}

export interface Painter {
  /** The first is the one in front, with the model of the pictures. */
  windows(): readonly Shown[];
  palette(): Palette;
}

/** What is in view, to keep. */
export interface Pictures {
  picture(options?: PictureOptions): Promise<Blob>;
  /** The cells that are seen, as CSV. */
  table(): Promise<Blob>;
  /** CSS pixels of a picture; null before there is anything to see. */
  size(options: PictureOptions): { width: number; height: number } | null;
  /** The cells that the table would have. */
  cells(): Uint32Array;
  fileName(ending: string): string;
  /** Gives up pictures that are still waited for. */
  dispose(): void;
}

export const SCALES = [1, 2, 3, 4] as const;
const LARGEST = 16;

/** What a window shows; null before there is anything to see. */
function paneOf({ view, positions, titles, state, bundle }: Model, withBar: boolean): Pane | null {
  const seen = view.value;
  const at = positions.value;
  const manifest = bundle.value?.manifest;
  if (!seen || !at || !manifest) return null;
  const note = noteOf(manifest, arrangementOf(state.value.layout));
  // An embedding has no lengths.
  const embedding = embeddingLabel(state.value.layout, manifest);
  return {
    width: seen.width,
    height: seen.height,
    scaleBar: withBar && embedding === null ? scaleBar(seen.scale, at.unitUm) : null,
    axes: withBar ? embedding : null,
    titles: titles.value.map(({ section: { name }, box }) => {
      const [left, y0] = project(seen, box[0], box[1]);
      const [right, y1] = project(seen, box[2], box[3]);
      return {
        x: (left + right) / 2,
        y: Math.min(y0, y1),
        width: Math.abs(right - left),
        text: `${name} ${note(name)}`.trim(),
      };
    }),
  };
}

/** The cells that a window draws: those of hidden categories and those beyond its edges are left out. */
function drawnIn({ view, positions, layer, state }: Model): Uint32Array {
  const seen = view.value;
  const at = positions.value;
  if (!seen || !at) return new Uint32Array(0);
  return cellsInView(at, seen, visibleTest(layer.value, state.value), null);
}

/** Answers are kept until the window shows something else: a menu asks with each of its renderings. */
function rememberedDrawn(): (model: Model) => Uint32Array {
  const held = new WeakMap<Model, { of: readonly unknown[]; cells: Uint32Array }>();
  return (model) => {
    const { view, positions, layer, state } = model;
    const of = [view.value, positions.value, layer.value, state.value.hidden];
    const known = held.get(model);
    if (known?.of.every((part, at) => part === of[at])) return known.cells;
    const cells = drawnIn(model);
    held.set(model, { of, cells });
    return cells;
  };
}

/** The text next to the dataset's name: how many cells are drawn, for each window where they differ. */
function aboutOf(shown: readonly { model: Model; cells: Uint32Array }[]): string {
  const texts = shown.flatMap(({ model, cells }) => {
    const manifest = model.bundle.value?.manifest;
    const positions = model.positions.value;
    if (!manifest || !positions) return [];
    const { layout } = model.state.value;
    // A section alone, or a filter of sections, leaves the others out of view.
    const everyCell = layout.kind === 'embedding' || layout.kind === 'tissue';
    const text = shownText({
      total: manifest.n_cells,
      source: manifest.n_cells_source ?? null,
      placed: everyCell ? placedCount(positions.coords) : manifest.n_cells,
      place: embeddingLabel(layout, manifest) ?? 'the tissue',
      drawn: cells.length,
    });
    return [{ label: layoutLabel(layout, manifest), text }];
  });
  const [first] = texts;
  return texts.every(({ text }) => text === first?.text)
    ? (first?.text ?? '')
    : texts.map(({ label, text }) => `${label}: ${text}`).join(' · ');
}

export function createPictures(model: Model, painter: Painter): Pictures {
  const closed = new AbortController();
  const drawnOf = rememberedDrawn();
  const windowsOf = ({ beside = true }: PictureOptions) => painter.windows().slice(0, beside ? 2 : 1);
  const layoutOf = (options: PictureOptions): Layout | null => {
    const manifest = model.bundle.value?.manifest;
    const { legend = true, scaleBar: bar = true, title = true, transparent = false } = options;
    const windows = windowsOf(options);
    const panes = windows.flatMap((shown) => paneOf(shown.model, bar) ?? []);
    if (!manifest || panes.length === 0) return null;
    const counted = windows.map((shown) => ({ model: shown.model, cells: drawnOf(shown.model) }));
    return layoutPicture(
      {
        panes,
        title: title ? { name: manifest.dataset_name, about: aboutOf(counted) } : null,
        legend: legend
          ? legendOf(
              model,
              counted.map(({ cells }) => cells),
            )
          : null,
        transparent,
        palette: painter.palette(),
      },
      measureText,
    );
  };

  const cells = () => {
    const view = model.view.value;
    const positions = model.positions.value;
    if (!view || !positions) return new Uint32Array(0);
    const shown = visibleTest(model.layer.value, model.state.value);
    return cellsInView(positions, view, shown, model.selection.value?.mask ?? null);
  };

  const named = () => {
    // As the tissue is coloured now, not what is on its way.
    const colour = labelOf(model.layer.value.color) || null;
    return { dataset: model.bundle.value?.manifest.dataset_name ?? '', colour };
  };

  return {
    async picture(options = {}) {
      const { scale = 2, format = 'png' } = options;
      if (!(scale > 0 && scale <= LARGEST))
        throw new PictureError(
          `A picture cannot have the scale ${scale}.`,
          `Give a number above 0 and up to ${LARGEST}.`,
        );
      if (format !== 'png' && format !== 'svg')
        throw new PictureError(`A picture cannot have the format “${format}”.`, 'Give “png” or “svg”.');
      await imageSettled(model, closed.signal);
      const layout = layoutOf(options);
      if (!layout)
        throw new PictureError('There is no tissue in view yet.', 'Wait until the tissue is drawn.');
      const pixels = (length: number) => Math.max(1, Math.round(length * scale));
      const windows = windowsOf(options);
      // To read what the card has yet to draw would make the page wait for it.
      const idle = () => Promise.all(windows.map((shown) => shown.idle()));
      await idle();
      const tissue = (pane: number, into: CanvasRenderingContext2D, x: number, y: number) =>
        windows[pane]?.paint(into, x, y, scale);
      if (format === 'png') {
        const canvas = largeCanvas(pixels(layout.width), pixels(layout.height));
        drawLayout(layout, scale, tissue, canvas);
        await idle();
        return pngOf(canvas);
      }
      const rasters: string[] = [];
      for (const mark of layout.marks) {
        if (mark.kind !== 'tissue') continue;
        const canvas = largeCanvas(pixels(mark.width), pixels(mark.height));
        const flat = canvas.getContext('2d');
        if (flat) tissue(mark.pane, flat, 0, 0);
        await idle();
        rasters.push(await dataUri(await pngOf(canvas)));
      }
      const { dataset, colour } = named();
      const name = [dataset, colour].filter(Boolean).join(', ');
      const text = svgOf(layout, name, rasters);
      return new Blob([text], { type: 'image/svg+xml' });
    },

    async table() {
      const positions = model.positions.value;
      const bundle = model.bundle.value;
      if (!positions || !bundle)
        throw new PictureError('There are no cells in view yet.', 'Wait until the tissue is drawn.');
      const seen = cells();
      const layer = model.layer.value;
      const isMean = layer.kind === 'value' && layer.color.kind === 'score';
      const of = isMean ? `mean of ${meaningOf(model, layer).noun}` : undefined;
      const names =
        model.cellNames.value ?? (await bundle.cellNames({ signal: new AbortController().signal }));
      // Cells that only stand elsewhere for the eye keep their coordinates in the tissue.
      const inTissue = model.state.value.layout.kind !== 'embedding';
      const places = (inTissue && model.tissue.value) || positions;
      return new Blob(await csvOf({ cells: seen, names, positions: places, layer, of }), {
        type: 'text/csv',
      });
    },

    size(options) {
      const layout = layoutOf(options);
      return layout && { width: layout.width, height: layout.height };
    },
    cells,
    fileName(ending) {
      const { dataset, colour } = named();
      return fileName(dataset, colour, ending);
    },
    dispose: () => closed.abort(new DOMException('The viewer was closed.', 'AbortError')),
  };
}

/** The image comes after the first frame: a picture without it would not be what its reader sees a moment later. */
export function imageSettled(model: Model, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let stop = () => {};
    const close = () => {
      stop();
      reject(signal.reason);
    };
    if (signal.aborted) return close();
    signal.addEventListener('abort', close, { once: true });
    stop = effect(() => {
      const expected = model.state.value.imageOn && model.bundle.value?.hasImage;
      if (expected && !model.image.value && !model.imageRead.value) return;
      queueMicrotask(() => stop());
      signal.removeEventListener('abort', close);
      resolve();
    });
  });
}

function dataUri(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
