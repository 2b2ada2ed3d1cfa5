import type { Positions, TissueImage } from '../data/bundle';
import { piesOf } from '../data/proportions';
import { rowOnScreen, type View } from '../lib/camera';
import { MISSING_COLOR, PLAIN_COLOR, parseColor, type Rgb } from '../lib/color';
import type { Colormap } from '../lib/colormap';
import { blended } from '../state/color/blend';
import type { Paint } from '../state/color/category-colors';
import type { Layer } from '../state/color/layer';
import { EdgeLayer } from './edge-layer';
import { alongScale, SCALED_RANGE, type Scaling, sameScaling } from './exact';
import { GlScope } from './gl-scope';
import { ImageLayer, type Piece } from './image-layer';
import { PointLayer, type PointStyle } from './point-layer';
import { placedPositions, shuffledPlaces } from './shuffle';

export interface Frame {
  view: View;
  /** Device pixels per CSS pixel */
  ratio: number;
  /** CSS pixels */
  pointSize: number;
  /** Angle of the rows in degrees from x toward y, if cells are squares with side `pointSize`; null for discs. */
  squares: number | null;
  opacity: number;
  range: readonly [number, number];
  log: boolean;
  dimZeros: boolean;
  /** 0 for no image */
  imageOpacity: number;
  imageBrightness: number;
  imageContrast: number;
  imagePieces: readonly Piece[];
  /** Edges between neighbors, as returned by `edgesOf`; null if no edges are drawn. */
  edges: Float32Array | null;
  dark: boolean;
  /** Background color of the tissue; used only for unselected cells. */
  ground: Rgb;
  /** Maximum number of cells to draw. */
  budget: number;
  /** During a transition: the view of the previous layout, and the progress from 0 to 1. */
  passage?: { view: View; share: number } | null;
}

/** Owns everything on the GPU for one WebGL context. */
export class Renderer {
  readonly #scope: GlScope;
  readonly #places: Uint32Array;
  #center: readonly [number, number];
  #centerBefore: readonly [number, number] = [0, 0];
  readonly #points: PointLayer;
  /** The layer's float64 values; the GPU holds them scaled by `#scaled`. */
  #exact: Float64Array | null = null;
  #scaled: Scaling | null = null;
  #imageScope: GlScope | null = null;
  #image: ImageLayer | null = null;
  #edges: EdgeLayer | null = null;
  /** Signaled when the GPU has finished the last frame. */
  #fence: WebGLSync | null = null;

  constructor(gl: WebGL2RenderingContext, positions: Positions) {
    this.#scope = new GlScope(gl);
    this.#places = shuffledPlaces(positions.coords.length / 2);
    this.#center = centerOf(positions);
    this.#points = new PointLayer(this.#scope, this.#places);
    this.#points.setPositions(placedPositions(positions.coords, this.#places, ...this.#center));
  }

  /** Sets new positions; `passing` keeps the previous ones for a transition, until `arrived`. */
  move(positions: Positions, passing: boolean): void {
    this.#centerBefore = this.#center;
    this.#center = centerOf(positions);
    this.#points.setPositions(placedPositions(positions.coords, this.#places, ...this.#center), passing);
  }

  arrived(): void {
    this.#points.arrived();
  }

  /** The origin of the coordinates on the GPU. */
  get center(): readonly [number, number] {
    return this.#center;
  }

  get cells(): number {
    return this.#places.length;
  }

  get live(): number {
    return this.#scope.live + (this.#imageScope?.live ?? 0);
  }

  setLayer(layer: Layer, dark: boolean): void {
    this.#exact = layer.kind === 'value' && layer.values instanceof Float64Array ? layer.values : null;
    this.#scaled = null;
    if (layer.kind === 'blend') {
      const { mixed, parts } = layer;
      this.#points.setMixed(mixed?.dark === dark ? mixed.colors : blended(parts, dark));
    } else if (layer.kind === 'category') {
      const { codes, categories } = layer.column;
      this.#points.setCodes(codes);
      this.#points.setPies(layer.amounts ? piesOf(layer.amounts, categories, this.cells) : null);
    } else if (layer.kind === 'value') {
      if (layer.values instanceof Float32Array) this.#points.setValues(layer.values);
    } else this.#points.setPlain(parseColor(PLAIN_COLOR));
  }

  setPaint({ colors, alpha }: Paint): void {
    const rgba = new Uint8Array(colors.length * 4);
    colors.forEach((color, code) => {
      rgba.set([...parseColor(color), alpha[code] ?? 255], code * 4);
    });
    this.#points.setColors(rgba);
  }

  /** Sets the colormap of values. */
  setRamp(map: Colormap, reversed: boolean): void {
    this.#points.setRamp(map, reversed);
  }

  /** Sets the selection as one flag per cell; null clears it. */
  setSelected(mask: Uint8Array | null): void {
    this.#points.setSelected(mask);
  }

  setImage(image: TissueImage | null): void {
    this.#imageScope?.dispose();
    this.#imageScope = null;
    this.#image = null;
    if (!image) return;
    this.#imageScope = new GlScope(this.#scope.gl);
    this.#image = new ImageLayer(this.#imageScope, image);
  }

  draw(frame: Frame): void {
    const { gl } = this.#scope;
    const { view, ratio } = frame;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    if (frame.imageOpacity > 0) {
      const look = {
        opacity: frame.imageOpacity,
        light: frame.imageBrightness,
        contrast: frame.imageContrast,
      };
      this.#image?.draw(view, look, frame.imagePieces);
    }
    const exact = this.#exact !== null;
    if (this.#exact && !sameScaling(this.#scaled, frame)) {
      const { range, log, dimZeros } = frame;
      this.#scaled = { range, log, dimZeros };
      this.#points.setValues(alongScale(this.#exact, this.#scaled));
    }
    // Draw edges above the cells, which may touch each other, but below pies: lines across them would look like slices.
    const below = this.#points.hasPies;
    if (below) this.#drawEdges(frame);
    const { passage } = frame;
    this.#points.draw({
      ...placement(view, this.#center),
      passage: passage ? { ...placement(passage.view, this.#centerBefore), share: passage.share } : null,
      size: Math.max(1, frame.pointSize * ratio),
      squares: frame.squares === null ? null : rowOnScreen(view, frame.squares),
      opacity: frame.opacity,
      range: exact ? SCALED_RANGE : frame.range,
      log: frame.log && !exact,
      dimZeros: frame.dimZeros,
      missing: parseColor(MISSING_COLOR),
      ground: frame.ground,
      count: frame.budget,
    });
    if (!below) this.#drawEdges(frame);
    gl.deleteSync(this.#fence);
    this.#fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  }

  #drawEdges({ edges, view, dark }: Frame): void {
    if (!edges?.length) return;
    this.#edges ??= new EdgeLayer(this.#scope);
    this.#edges.draw(edges, placement(view, this.#center), dark);
  }

  /** Whether the GPU is still drawing: uploading values or resizing the canvas would then block the page. */
  get busy(): boolean {
    const { gl } = this.#scope;
    if (!this.#fence || gl.isContextLost()) return false;
    return gl.getSyncParameter(this.#fence, gl.SYNC_STATUS) !== gl.SIGNALED;
  }

  /** Prepares one more program for later frames; true while there are more. */
  warm(): boolean {
    return this.#points.warm();
  }

  /** Blocks until the GPU has drawn, to measure the time of a frame. */
  finish(): void {
    this.#scope.gl.readPixels(
      0,
      0,
      1,
      1,
      this.#scope.gl.RGBA,
      this.#scope.gl.UNSIGNED_BYTE,
      new Uint8Array(4),
    );
  }

  dispose(): void {
    this.setImage(null);
    this.#scope.gl.deleteSync(this.#fence);
    this.#fence = null;
    this.#scope.dispose();
  }
}

function centerOf({ extent }: Positions): readonly [number, number] {
  return [(extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2];
}

function placement(view: View, center: readonly [number, number]): Pick<PointStyle, 'scale' | 'offset'> {
  const [a, b, c, d] = view.axes;
  const sx = (2 * view.scale) / view.width;
  const sy = (-2 * view.scale) / view.height;
  const scale = [a * sx, c * sx, b * sy, d * sy] as const;
  const x = center[0] - view.x;
  const y = center[1] - view.y;
  return { scale, offset: [x * scale[0] + y * scale[1], x * scale[2] + y * scale[3]] };
}
