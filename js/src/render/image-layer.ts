import type { TissueImage } from '../data/bundle';
import type { Extent, View } from '../lib/camera';
import { project } from '../lib/camera';
import type { GlScope, Program } from './gl-scope';
import imageFragment from './image.frag.glsl';
import imageVertex from './image.vert.glsl';

/** A piece of the tissue that is shown elsewhere: what is added to its coordinates, and its field afterwards. */
export interface Piece {
  dx: number;
  dy: number;
  field: Extent;
}

export interface ImageLook {
  opacity: number;
  /** Multiplies what `contrast` has moved away from grey; 1 and 1 are the picture as it is. */
  light: number;
  contrast: number;
}

const span = (low: number, high: number) => ({ low: Math.min(low, high), high: Math.max(low, high) });

/** The tissue image under the cells. */
export class ImageLayer {
  #scope: GlScope;
  #image: TissueImage;
  #texture: WebGLTexture;
  #array: WebGLVertexArrayObject;
  #program: Program;

  constructor(scope: GlScope, image: TissueImage) {
    this.#scope = scope;
    this.#image = image;
    const { gl } = scope;
    this.#texture = scope.texture('linear');
    const source = fitting(gl, image.bitmap);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, source);
    gl.generateMipmap(gl.TEXTURE_2D);
    this.#array = scope.vertexArray();
    gl.bindVertexArray(this.#array);
    gl.bindBuffer(gl.ARRAY_BUFFER, scope.buffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindVertexArray(null);
    this.#program = scope.program(imageVertex, imageFragment);
  }

  /** The whole picture where the tissue lies, or of each piece its part. */
  draw(view: View, { opacity, light, contrast }: ImageLook, pieces: readonly Piece[] | null): void {
    const { gl } = this.#scope;
    this.#program.use();
    gl.uniform1f(this.#program.uniform('opacity'), opacity);
    gl.uniform1f(this.#program.uniform('light'), light);
    gl.uniform1f(this.#program.uniform('contrast'), contrast);
    gl.uniform1i(this.#program.uniform('image'), 0);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    gl.disable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(this.#array);
    if (!pieces) this.#part(view, this.#whole(), 0, 0);
    for (const { field, dx, dy } of pieces ?? []) {
      const [x0, y0, x1, y1] = this.#pixels(field, dx, dy);
      if (x0 < x1 && y0 < y1) this.#part(view, [x0, y0, x1, y1], dx, dy);
    }
    gl.bindVertexArray(null);
  }

  #whole(): Extent {
    return [0, 0, this.#image.width, this.#image.height];
  }

  /** The pixels under a field of coordinates, as far as the picture goes. */
  #pixels(field: Extent, dx: number, dy: number): Extent {
    const { transform, width, height } = this.#image;
    const pixel = (coordinate: number, axis: 0 | 1) =>
      coordinate * transform.scale[axis] + transform.offset[axis];
    const across = span(pixel(field[0] - dx, 0), pixel(field[2] - dx, 0));
    const along = span(pixel(field[1] - dy, 1), pixel(field[3] - dy, 1));
    return [
      Math.max(0, across.low),
      Math.max(0, along.low),
      Math.min(width, across.high),
      Math.min(height, along.high),
    ];
  }

  /** Draws these pixels where they belong, moved by (dx, dy). */
  #part(view: View, [x0, y0, x1, y1]: Extent, dx: number, dy: number): void {
    const { gl } = this.#scope;
    const { transform, width, height } = this.#image;
    const coordinate = (pixel: number, axis: 0 | 1) =>
      (pixel - transform.offset[axis]) / (transform.scale[axis] || 1);
    const clip = (x: number, y: number): [number, number] => {
      const [px, py] = project(view, coordinate(x, 0) + dx, coordinate(y, 1) + dy);
      return [(px / view.width) * 2 - 1, 1 - (py / view.height) * 2];
    };
    const origin = clip(x0, y0);
    const right = clip(x1, y0);
    const below = clip(x0, y1);
    gl.uniform2f(this.#program.uniform('origin'), ...origin);
    gl.uniform4f(
      this.#program.uniform('sides'),
      right[0] - origin[0],
      right[1] - origin[1],
      below[0] - origin[0],
      below[1] - origin[1],
    );
    gl.uniform4f(
      this.#program.uniform('part'),
      x0 / width,
      y0 / height,
      (x1 - x0) / width,
      (y1 - y0) / height,
    );
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
}

/** The picture, made smaller where it exceeds what the graphics card takes. */
function fitting(gl: WebGL2RenderingContext, bitmap: ImageBitmap): TexImageSource {
  const limit = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
  const longest = Math.max(bitmap.width, bitmap.height);
  if (longest <= limit) return bitmap;
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.floor((bitmap.width * limit) / longest));
  canvas.height = Math.max(1, Math.floor((bitmap.height * limit) / longest));
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}
