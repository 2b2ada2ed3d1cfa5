import type { TissueImage } from '../data/bundle';
import type { View } from '../lib/camera';
import { project } from '../lib/camera';
import type { GlScope, Program } from './gl-scope';
import imageFragment from './image.frag.glsl';
import imageVertex from './image.vert.glsl';

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

  /** `light` multiplies what `contrast` has moved away from grey; 1 and 1 are the picture as it is. */
  draw(view: View, opacity: number, light: number, contrast: number): void {
    const { gl } = this.#scope;
    const { transform, width, height } = this.#image;
    const coordinate = (pixel: number, axis: 0 | 1) =>
      (pixel - transform.offset[axis]) / (transform.scale[axis] || 1);
    const clip = (x: number, y: number): [number, number] => {
      const [px, py] = project(view, coordinate(x, 0), coordinate(y, 1));
      return [(px / view.width) * 2 - 1, 1 - (py / view.height) * 2];
    };
    const origin = clip(0, 0);
    const right = clip(width, 0);
    const below = clip(0, height);
    this.#program.use();
    gl.uniform2f(this.#program.uniform('origin'), ...origin);
    gl.uniform4f(
      this.#program.uniform('sides'),
      right[0] - origin[0],
      right[1] - origin[1],
      below[0] - origin[0],
      below[1] - origin[1],
    );
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
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.bindVertexArray(null);
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
