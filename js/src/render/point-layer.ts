import type { Codes } from '../data/column-values';
import type { Pies } from '../data/proportions';
import type { Rgb } from '../lib/color';
import { type Colormap, rampOf, signedLog1p } from '../lib/colormap';
import categoryVertex from './category.vert.glsl';
import type { GlScope, Program } from './gl-scope';
import mixedVertex from './mixed.vert.glsl';
import pieFragment from './pie.frag.glsl';
import placeFunctions from './place.glsl';
import roundFragment from './round.frag.glsl';
import selectionFunctions from './selection.glsl';
import { placed } from './shuffle';
import smallFragment from './small.frag.glsl';
import squareFragment from './square.frag.glsl';
import valueVertex from './value.vert.glsl';

export interface PointStyle {
  /** Clip space = scale · (coordinate − center) + offset; `scale` holds two rows of a matrix. */
  scale: readonly [number, number, number, number];
  offset: readonly [number, number];
  /** Diameter, or side of a square, in device pixels. */
  size: number;
  /** Screen direction (right, down) of the rows, if cells are squares with side `size`; null for discs. */
  squares: readonly [number, number] | null;
  opacity: number;
  range: readonly [number, number];
  log: boolean;
  dimZeros: boolean;
  missing: Rgb;
  /** The background color, which unselected cells fade toward. */
  ground: Rgb;
  /** Number of cells to draw, from the start of the shuffled order. */
  count: number;
  /** During a transition: the transform of the previous positions, and the progress. */
  passage?: Passage | null;
}

export interface Passage {
  scale: readonly [number, number, number, number];
  offset: readonly [number, number];
  share: number;
}

/** Discs, squares aligned with the screen, rotated squares, and pies. */
type Shape = 'round' | 'small' | 'square' | 'pie';
const FRAGMENTS: Record<Shape, string> = {
  round: roundFragment,
  small: smallFragment,
  square: squareFragment,
  pie: pieFragment,
};

/** Small points are squares: the cost of a `discard` would outweigh its effect on them. */
function shapeOf({ size, squares }: Pick<PointStyle, 'size' | 'squares'>): Shape {
  if (size < ROUND_FROM) return 'small';
  if (!squares) return 'round';
  return Math.min(...squares.map(Math.abs)) < UPRIGHT ? 'small' : 'square';
}

type Mode = 'plain' | 'category' | 'value' | 'mixed';

/** Device pixels */
const ROUND_FROM = 2.5;
const PIES_FROM = 9;
/** Width of the texture of pies; the shader uses the same number. */
const PIES_WIDTH = 4096;
/** Sine of the largest angle at which squares count as upright: less than a pixel on a bin of 200 pixels. */
const UPRIGHT = 0.005;
const LUT_WIDTH = 256;
/** Attribute locations, as in the shaders. */
const PLACE = 0;
const PLACE_BEFORE = 3;
const VERSION = '#version 300 es\n';

/** Features that are compiled into a program only if used, so that unused ones cost nothing. */
type Flag = 'SELECTION' | 'LOG' | 'DIM' | 'PASSAGE' | 'PIES' | 'PIXEL';

function vertexSource(main: string, flags: readonly Flag[]): string {
  const defined = flags.map((flag) => `#define ${flag}\n`).join('');
  return main.replace(VERSION, `${VERSION}${defined}${placeFunctions}${selectionFunctions}`);
}

/** Returns the source of a fragment shader that applies the selection to each pixel. */
function pixelSource(main: string, flags: readonly Flag[]): string {
  const defined = [...flags, 'PIXEL'].map((flag) => `#define ${flag}\n`).join('');
  return main
    .replace('out vec4 pixel;', `out vec4 pixel;\n${selectionFunctions}`)
    .replace(VERSION, `${VERSION}${defined}`);
}

/** Draws cells as points, in shuffled order, so that the first cells, however many, cover the whole tissue. */
export class PointLayer {
  #scope: GlScope;
  #places: Uint32Array;
  #mode: Mode = 'plain';
  #positions: WebGLBuffer;
  #before: WebGLBuffer | null = null;
  #codes: WebGLBuffer;
  #values: WebGLBuffer;
  #selected: WebGLBuffer | null = null;
  #hasSelection = false;
  /** Whether some category is dimmed in favor of another. */
  #dimsCategories = false;
  #arrays: Record<Mode, WebGLVertexArrayObject>;
  #lut: WebGLTexture;
  #pies: WebGLTexture | null = null;
  /** Number of slices of each pie; 0 if there are no pies. */
  #slices = 0;
  #ramp: WebGLTexture;
  #programs = new Map<string, Program>();

  constructor(scope: GlScope, places: Uint32Array) {
    this.#scope = scope;
    this.#places = places;
    const { gl } = scope;
    this.#positions = scope.buffer();
    this.#codes = scope.buffer();
    this.#values = scope.buffer();
    this.#arrays = {
      plain: scope.vertexArray(),
      category: scope.vertexArray(),
      value: scope.vertexArray(),
      mixed: scope.vertexArray(),
    };
    this.#lut = scope.texture('nearest');
    this.#ramp = scope.texture('nearest');
    gl.texImage2D(
      gl.TEXTURE_2D,
      0,
      gl.RGBA8,
      LUT_WIDTH,
      1,
      0,
      gl.RGBA,
      gl.UNSIGNED_BYTE,
      rampOf('viridis', false),
    );
  }

  /** Returns a program, compiled on first use: each takes about a tenth of the time of a first frame. */
  #program(mode: Mode, shape: Shape, flags: readonly Flag[]): Program {
    const kind = mode === 'plain' ? 'category' : mode;
    const key = `${kind} ${shape} ${flags}`;
    const known = this.#programs.get(key);
    if (known) return known;
    const vertex = { value: valueVertex, category: categoryVertex, mixed: mixedVertex }[kind];
    const fragment = FRAGMENTS[shape];
    const made = this.#scope.program(
      vertexSource(vertex, flags),
      shape === 'pie' ? pixelSource(fragment, flags) : fragment,
    );
    this.#programs.set(key, made);
    return made;
  }

  /** Compiles one more program that later frames may need; true while there are more. */
  warm(): boolean {
    const wanted = ([[], ['SELECTION']] as const).flatMap((flags) =>
      (['category', 'value'] as const).flatMap((mode) =>
        (['small', 'round'] as const).map((shape) => [mode, shape, flags] as const),
      ),
    );
    // Start compiling all of them before checking any: the check blocks.
    const absent = wanted.find(([mode, shape, flags]) => !this.#programs.has(`${mode} ${shape} ${flags}`));
    if (absent) {
      this.#program(...absent);
      return true;
    }
    const unchecked = wanted.map((which) => this.#program(...which)).find(({ built }) => !built);
    unchecked?.use();
    return unchecked !== undefined;
  }

  /**
   * Uploads positions, relative to the center of the tissue to make the most of float32. With `passing`, the previous
   * positions stay on the GPU for the transition, until `arrived`.
   */
  setPositions(coords: Float32Array, passing = false): void {
    const { gl } = this.#scope;
    if (passing) {
      const free = this.#before ?? this.#scope.buffer();
      this.#before = this.#positions;
      this.#positions = free;
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#positions);
    gl.bufferData(gl.ARRAY_BUFFER, coords, gl.STATIC_DRAW);
    for (const array of Object.values(this.#arrays)) {
      gl.bindVertexArray(array);
      this.#attach(PLACE, this.#positions);
      if (passing) this.#attach(PLACE_BEFORE, this.#before);
      else gl.disableVertexAttribArray(PLACE_BEFORE);
    }
    gl.bindVertexArray(null);
  }

  arrived(): void {
    const { gl } = this.#scope;
    for (const array of Object.values(this.#arrays)) {
      gl.bindVertexArray(array);
      gl.disableVertexAttribArray(PLACE_BEFORE);
    }
    gl.bindVertexArray(null);
  }

  #attach(attribute: number, buffer: WebGLBuffer | null): void {
    const { gl } = this.#scope;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(attribute);
    gl.vertexAttribPointer(attribute, 2, gl.FLOAT, false, 0, 0);
  }

  setPlain(color: Rgb): void {
    this.#mode = 'plain';
    this.setColors(new Uint8Array([...color, 255]));
  }

  setCodes(codes: Codes): void {
    const { gl } = this.#scope;
    this.#mode = 'category';
    gl.bindVertexArray(this.#arrays.category);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#codes);
    gl.bufferData(gl.ARRAY_BUFFER, placed(codes, this.#places), gl.STATIC_DRAW);
    const type =
      codes instanceof Uint8Array
        ? gl.UNSIGNED_BYTE
        : codes instanceof Uint16Array
          ? gl.UNSIGNED_SHORT
          : gl.UNSIGNED_INT;
    gl.enableVertexAttribArray(1);
    gl.vertexAttribIPointer(1, 1, type, 0, 0);
    gl.bindVertexArray(null);
  }

  setValues(values: Float32Array): void {
    const { gl } = this.#scope;
    this.#mode = 'value';
    gl.bindVertexArray(this.#arrays.value);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#values);
    gl.bufferData(gl.ARRAY_BUFFER, placed(values, this.#places), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 1, gl.FLOAT, false, 0, 0);
    gl.bindVertexArray(null);
  }

  /** Sets the red, green, blue and depth of each cell; depth 255 is in front. */
  setMixed(rgba: Uint32Array): void {
    const { gl } = this.#scope;
    this.#mode = 'mixed';
    gl.bindVertexArray(this.#arrays.mixed);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#values);
    gl.bufferData(gl.ARRAY_BUFFER, placed(rgba, this.#places), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.bindVertexArray(null);
  }

  /** Sets the slices of pies, which are drawn instead of large discs in category colors; null for no pies. */
  setPies(pies: Pies | null): void {
    const { gl } = this.#scope;
    this.#slices = 0;
    if (!pies) {
      gl.bindTexture(gl.TEXTURE_2D, this.#pies);
      if (this.#pies)
        gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, 1, 1, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, null);
      return;
    }
    const { slices, ends } = pies;
    const rows = Math.max(1, Math.ceil(ends.length / PIES_WIDTH));
    const texels = new Uint16Array(rows * PIES_WIDTH);
    this.#places.forEach((place, cell) => {
      texels.set(ends.subarray(cell * slices, (cell + 1) * slices), place * slices);
    });
    this.#pies ??= this.#scope.texture('nearest');
    gl.bindTexture(gl.TEXTURE_2D, this.#pies);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, PIES_WIDTH, rows, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, texels);
    this.#slices = slices;
  }

  /** Whether large cells are pies. */
  get hasPies(): boolean {
    return this.#mode === 'category' && this.#slices > 0;
  }

  /** Sets the selection as one flag per cell; null clears it. */
  setSelected(mask: Uint8Array | null): void {
    const { gl } = this.#scope;
    this.#hasSelection = mask !== null;
    if (mask) {
      this.#selected ??= this.#scope.buffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#selected);
      gl.bufferData(gl.ARRAY_BUFFER, placed(mask, this.#places), gl.DYNAMIC_DRAW);
    }
    for (const array of Object.values(this.#arrays)) {
      gl.bindVertexArray(array);
      if (mask) {
        gl.enableVertexAttribArray(2);
        gl.vertexAttribIPointer(2, 1, gl.UNSIGNED_BYTE, 0, 0);
      } else {
        gl.disableVertexAttribArray(2);
      }
    }
    gl.bindVertexArray(null);
  }

  /** Sets the RGBA of each category code. Alpha 0 hides the category; other values below 255 dim it. */
  setColors(rgba: Uint8Array): void {
    const { gl } = this.#scope;
    const rows = Math.max(1, Math.ceil(rgba.length / 4 / LUT_WIDTH));
    const texels = new Uint8Array(rows * LUT_WIDTH * 4);
    texels.set(rgba);
    this.#dimsCategories = rgba.some((value, at) => at % 4 === 3 && value > 0 && value < 255);
    gl.bindTexture(gl.TEXTURE_2D, this.#lut);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, LUT_WIDTH, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
  }

  setRamp(map: Colormap, reversed: boolean): void {
    const { gl } = this.#scope;
    gl.bindTexture(gl.TEXTURE_2D, this.#ramp);
    const ramp = rampOf(map, reversed);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, LUT_WIDTH, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, ramp);
  }

  draw(style: PointStyle): void {
    const { gl } = this.#scope;
    const plain = shapeOf(style);
    const pies = plain === 'round' && this.hasPies && style.size >= PIES_FROM;
    const shape = pies ? 'pie' : plain;
    const round = plain === 'round';
    const selection = this.#hasSelection;
    const valued = this.#mode === 'value';
    const dim = valued && style.dimZeros;
    const dimsCategories = this.#mode === 'category' && this.#dimsCategories;
    const flags: Flag[] = selection ? ['SELECTION'] : [];
    if (valued && style.log) flags.push('LOG');
    if (dim) flags.push('DIM');
    if (style.passage) flags.push('PASSAGE');
    if (pies) flags.push('PIES');
    const program = this.#program(this.#mode, shape, flags);
    program.use();
    gl.uniform4f(program.uniform('scale'), ...style.scale);
    gl.uniform2f(program.uniform('offset'), ...style.offset);
    if (style.passage) {
      const { scale, offset, share } = style.passage;
      gl.uniform4f(program.uniform('scaleBefore'), ...scale);
      gl.uniform2f(program.uniform('offsetBefore'), ...offset);
      gl.uniform1f(program.uniform('share'), share);
    }
    const [right, down] = style.squares ?? [1, 0];
    // A point is an upright square: enlarge it to contain the rotated one.
    const around = shape === 'square' ? Math.abs(right) + Math.abs(down) : 1;
    gl.uniform1f(program.uniform('size'), style.size * around);
    if (shape === 'square') gl.uniform2f(program.uniform('row'), right * around, down * around);
    gl.uniform1f(program.uniform('opacity'), style.opacity);
    if (pies) {
      gl.activeTexture(gl.TEXTURE1);
      gl.bindTexture(gl.TEXTURE_2D, this.#pies);
      gl.uniform1i(program.uniform('ends'), 1);
      gl.uniform1i(program.uniform('slices'), this.#slices);
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1i(program.uniform('lut'), 0);
    gl.bindTexture(gl.TEXTURE_2D, this.#mode === 'value' ? this.#ramp : this.#lut);
    if (this.#mode === 'value') {
      const [low, high] = style.log ? logged(style.range) : style.range;
      gl.uniform2f(program.uniform('range'), low, high > low ? 1 / (high - low) : 0);
      const [r, g, b] = style.missing;
      gl.uniform3f(program.uniform('missing'), r / 255, g / 255, b / 255);
      gl.enable(gl.DEPTH_TEST);
      gl.depthFunc(gl.LESS);
    } else if (this.#mode === 'mixed') {
      gl.enable(gl.DEPTH_TEST);
      gl.depthFunc(gl.LESS);
    } else if (selection || dimsCategories) {
      // Two depths, for the highlighted cells and the others; within each, later cells are drawn on top.
      gl.enable(gl.DEPTH_TEST);
      gl.depthFunc(gl.LEQUAL);
    } else {
      gl.disable(gl.DEPTH_TEST);
    }
    if (selection) {
      const [r, g, b] = style.ground;
      gl.uniform3f(program.uniform('ground'), r / 255, g / 255, b / 255);
    }
    if (round || selection || dim || dimsCategories || style.opacity < 1) {
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    } else {
      gl.disable(gl.BLEND);
    }
    gl.bindVertexArray(this.#arrays[this.#mode]);
    if (this.#mode === 'plain') gl.vertexAttribI4ui(1, 0, 0, 0, 0);
    gl.drawArrays(gl.POINTS, 0, Math.min(style.count, this.#places.length));
    gl.bindVertexArray(null);
    gl.disable(gl.DEPTH_TEST);
  }
}

function logged([low, high]: readonly [number, number]): readonly [number, number] {
  return [signedLog1p(low), signedLog1p(high)];
}
