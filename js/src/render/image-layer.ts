import type { TissueImage, TissuePicture } from '../data/bundle';
import type { Extent, View } from '../lib/camera';
import { project } from '../lib/camera';
import type { GlScope, Program } from './gl-scope';
import imageFragment from './image.frag.glsl';
import imageVertex from './image.vert.glsl';

/** A placed image of the tissue. */
export interface Piece {
  /** The section that the image belongs to; null for an image of the whole tissue */
  section: string | null;
  /** Offset of its coordinates */
  dx: number;
  dy: number;
  /** Clips the image to this extent, in coordinates; null for the whole image */
  field: Extent | null;
}

export interface ImageLook {
  opacity: number;
  /** Brightness factor, applied after `contrast`. Both 1: the unchanged image. */
  light: number;
  contrast: number;
}

const span = (low: number, high: number) => ({ low: Math.min(low, high), high: Math.max(low, high) });

/** Draws the images of the tissue below the cells. */
export class ImageLayer {
  #scope: GlScope;
  #image: TissueImage;
  #textures: ReadonlyMap<TissuePicture, WebGLTexture>;
  #array: WebGLVertexArrayObject;
  #program: Program;

  constructor(scope: GlScope, image: TissueImage) {
    this.#scope = scope;
    this.#image = image;
    const { gl } = scope;
    const pictures = new Set([...(image.whole ? [image.whole] : []), ...image.bySection.values()]);
    this.#textures = new Map(
      [...pictures].map((picture) => {
        const texture = scope.texture('linear');
        const source = fitting(gl, picture.bitmap);
        gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, source);
        gl.generateMipmap(gl.TEXTURE_2D);
        return [picture, texture];
      }),
    );
    this.#array = scope.vertexArray();
    gl.bindVertexArray(this.#array);
    gl.bindBuffer(gl.ARRAY_BUFFER, scope.buffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindVertexArray(null);
    this.#program = scope.program(imageVertex, imageFragment);
  }

  draw(view: View, { opacity, light, contrast }: ImageLook, pieces: readonly Piece[]): void {
    const { gl } = this.#scope;
    this.#program.use();
    gl.uniform1f(this.#program.uniform('opacity'), opacity);
    gl.uniform1f(this.#program.uniform('light'), light);
    gl.uniform1f(this.#program.uniform('contrast'), contrast);
    gl.uniform1i(this.#program.uniform('image'), 0);
    gl.activeTexture(gl.TEXTURE0);
    gl.disable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(this.#array);
    for (const { section, field, dx, dy } of pieces) {
      const picture = section === null ? this.#image.whole : this.#image.bySection.get(section);
      const texture = picture && this.#textures.get(picture);
      if (!picture || !texture) continue;
      const [x0, y0, x1, y1] = pixelsOf(picture, field, dx, dy);
      if (!(x0 < x1 && y0 < y1)) continue;
      gl.bindTexture(gl.TEXTURE_2D, texture);
      this.#part(view, picture, [x0, y0, x1, y1], dx, dy);
    }
    gl.bindVertexArray(null);
  }

  /** Draws a part of the image, in pixels, at its coordinates moved by (dx, dy). */
  #part(
    view: View,
    { transform, width, height }: TissuePicture,
    [x0, y0, x1, y1]: Extent,
    dx: number,
    dy: number,
  ): void {
    const { gl } = this.#scope;
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

/** Returns the pixels of the image within a field of coordinates. */
function pixelsOf(
  { transform, width, height }: TissuePicture,
  field: Extent | null,
  dx: number,
  dy: number,
): Extent {
  if (!field) return [0, 0, width, height];
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

/** Returns the bitmap, downscaled if it exceeds the maximum texture size. */
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
