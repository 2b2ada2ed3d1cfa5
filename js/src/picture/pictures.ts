import { effect } from '@preact/signals';
import { project } from '../lib/camera';
import { shownText } from '../lib/counts';
import { PictureError } from '../lib/errors';
import { formatCount } from '../lib/format';
import { scaleBar } from '../lib/scale-bar';
import { meaningOf } from '../state/color/gene-meaning';
import { colorLabel, isolatedTest, visibleTest } from '../state/color/layer';
import { arrangementOf, noteOf } from '../state/layout/arrangement';
import { embeddingLabel, layoutLabel, placedCount } from '../state/layout/layout';
import type { Model } from '../state/model';
import { drawLayout, largeCanvas, measureText, pngOf } from './canvas';
import { fileName } from './file-name';
import { labelsOf } from './labels';
import { layoutPicture, type Pane, type PictureLayout } from './layout';
import { legendOf } from './legend';
import type { Palette } from './palette';
import { svgOf } from './svg';
import { cellsInView, csvOf, embeddingAxes, TISSUE_AXES } from './table';

export interface PictureOptions {
  /** Pixels of the picture per CSS pixel; for SVG, of its tissue raster. Default: 2. */
  scale?: number;
  format?: 'png' | 'svg';
  /** Parts to include. Default: true. */
  legend?: boolean;
  scaleBar?: boolean;
  title?: boolean;
  /** Include the second view, if open. Default: true. */
  beside?: boolean;
  /** Omit the background of the tissue and the legend. Default: false. */
  transparent?: boolean;
}

/** A view that can be drawn at any resolution. */
export interface PictureWindow {
  model: Model;
  paint(into: CanvasRenderingContext2D, x: number, y: number, scale: number): void;
  /** Resolves when the painted pixels can be read. */
  idle(): Promise<void>;
}

export interface Painter {
  /** The views; the first is the main one, whose model the pictures use. */
  windows(): readonly PictureWindow[];
  palette(): Palette;
}

/** Exports the current view as pictures and tables. */
export interface Pictures {
  picture(options?: PictureOptions): Promise<Blob>;
  /** The visible cells as CSV; if there is a selection, only its cells. */
  table(): Promise<Blob>;
  /** Size of a picture in CSS pixels; null before the tissue is loaded. */
  size(options: PictureOptions): { width: number; height: number } | null;
  /** The cells that the table would contain. */
  cells(): Uint32Array;
  fileName(extension: string): string;
  /** Rejects pending pictures. */
  dispose(): void;
}

export const SCALES = [1, 2, 3, 4] as const;
const MAX_SCALE = 16;

/** Returns the contents of a view; null before the tissue is loaded. */
function paneOf(model: Model, withBar: boolean): Pane | null {
  const { titles, state, bundle, unitUm } = model;
  const view = model.view.value;
  const manifest = bundle.value?.manifest;
  if (!view || !model.positions.value || !manifest) return null;
  const note = noteOf(manifest, arrangementOf(state.value.layout));
  // An embedding has axes but no unit of length.
  const embedding = embeddingLabel(state.value.layout, manifest);
  return {
    width: view.width,
    height: view.height,
    scaleBar: withBar && embedding === null ? scaleBar(view.scale, unitUm.value) : null,
    axes: withBar ? embedding : null,
    labels: labelsOf(model, measureText),
    titles: titles.value.map(({ section: { name }, box }) => {
      const [left, y0] = project(view, box[0], box[1]);
      const [right, y1] = project(view, box[2], box[3]);
      return {
        x: (left + right) / 2,
        y: Math.min(y0, y1),
        width: Math.abs(right - left),
        text: `${name} ${note(name)}`.trim(),
      };
    }),
  };
}

/** Returns the cells that a view draws, without hidden categories and cells beyond its edges. */
function drawnIn(model: Model): Uint32Array {
  const view = model.view.value;
  const positions = model.positions.value;
  if (!view || !positions) return new Uint32Array(0);
  return cellsInView(positions, view, visibleTest(model.layer.value, model.state.value), null);
}

/** Memoizes `drawnIn` per view: the save menu calls it on every render. */
function rememberedDrawn(): (model: Model) => Uint32Array {
  const cache = new WeakMap<Model, { inputs: readonly unknown[]; cells: Uint32Array }>();
  return (model) => {
    const { view, positions, layer, state } = model;
    const inputs = [view.value, positions.value, layer.value, state.value.hidden];
    const known = cache.get(model);
    if (known?.inputs.every((input, at) => input === inputs[at])) return known.cells;
    const cells = drawnIn(model);
    cache.set(model, { inputs, cells });
    return cells;
  };
}

/** The text next to the dataset's name: the number of drawn cells, per view if they differ. */
function aboutOf(shown: readonly { model: Model; cells: Uint32Array }[]): string {
  const texts = shown.flatMap(({ model, cells }) => {
    const manifest = model.bundle.value?.manifest;
    const positions = model.positions.value;
    if (!manifest || !positions) return [];
    const { layout } = model.state.value;
    // A single section or a section filter excludes other cells on purpose.
    const everyCell = layout.kind === 'embedding' || layout.kind === 'tissue';
    const text = shownText({
      total: manifest.n_cells,
      source: manifest.n_cells_source ?? null,
      placed: everyCell ? placedCount(positions.coords) : manifest.n_cells,
      place: embeddingLabel(layout, manifest) ?? 'the tissue',
      drawn: cells.length,
      noun: model.noun.value,
    });
    const isolated = isolatedTest(model.layer.value, model.state.value);
    const count = isolated && cells.reduce((sum, cell) => sum + (isolated(cell) ? 1 : 0), 0);
    const about = count === null ? text : `${text} · ${formatCount(count)} isolated`;
    return [{ label: layoutLabel(layout, manifest), text: about }];
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
  const layoutOf = (options: PictureOptions): PictureLayout | null => {
    const manifest = model.bundle.value?.manifest;
    const { legend = true, scaleBar: bar = true, title = true, transparent = false } = options;
    const windows = windowsOf(options);
    const panes = windows.flatMap((shown) => paneOf(shown.model, bar) ?? []);
    if (!manifest || panes.length === 0) return null;
    const counted = windows.map((shown) => ({ model: shown.model, cells: drawnOf(shown.model) }));
    return layoutPicture(
      {
        panes,
        title: title ? { name: model.title.value, about: aboutOf(counted) } : null,
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
    // The color that is drawn, not one that is still loading.
    const color = colorLabel(model.layer.value.color) || null;
    return { dataset: model.title.value, color };
  };

  return {
    async picture(options = {}) {
      const { scale = 2, format = 'png' } = options;
      if (!(scale > 0 && scale <= MAX_SCALE))
        throw new PictureError(
          `The scale ${scale} is not valid for a picture.`,
          `Pass a number above 0 and up to ${MAX_SCALE}.`,
        );
      if (format !== 'png' && format !== 'svg')
        throw new PictureError(`The format “${format}” is not valid for a picture.`, 'Pass “png” or “svg”.');
      await imageSettled(model, closed.signal);
      const layout = layoutOf(options);
      if (!layout) throw new PictureError('The tissue is not loaded yet.', 'Wait until the tissue is drawn.');
      const pixels = (length: number) => Math.max(1, Math.round(length * scale));
      const windows = windowsOf(options);
      // Reading pixels that the GPU has yet to draw would block the page.
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
      const { dataset, color } = named();
      const name = [dataset, color].filter(Boolean).join(', ');
      const text = svgOf(layout, name, rasters);
      return new Blob([text], { type: 'image/svg+xml' });
    },

    async table() {
      const positions = model.positions.value;
      const bundle = model.bundle.value;
      if (!positions || !bundle)
        throw new PictureError('The cells are not loaded yet.', 'Wait until the tissue is drawn.');
      const rows = cells();
      const layer = model.layer.value;
      const isMean = layer.kind === 'value' && layer.color.kind === 'score';
      const of = isMean ? `mean of ${meaningOf(model, layer).noun}` : undefined;
      const names =
        model.cellNames.value ?? (await bundle.cellNames({ signal: new AbortController().signal }));
      // Sections side by side are moved only for display: write the tissue coordinates.
      const inTissue = model.state.value.layout.kind !== 'embedding';
      const places = (inTissue && model.tissue.value) || positions;
      const { layout } = model.state.value;
      const axes =
        layout.kind === 'embedding'
          ? embeddingAxes(embeddingLabel(layout, bundle.manifest) ?? layout.name)
          : TISSUE_AXES;
      const table = { cells: rows, names, positions: places, layer, of, axes, unitUm: model.unitUm.value };
      return new Blob(await csvOf(table), {
        type: 'text/csv',
      });
    },

    size(options) {
      const layout = layoutOf(options);
      return layout && { width: layout.width, height: layout.height };
    },
    cells,
    fileName(extension) {
      const { dataset, color } = named();
      return fileName(dataset, color, extension);
    },
    dispose: () => closed.abort(new DOMException('The viewer was closed.', 'AbortError')),
  };
}

/** Resolves when the image is loaded or has failed. It loads after the first frame, and a picture must include it. */
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
      // `stop` is not assigned yet if the effect runs for the first time.
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
