import edgeFragment from './edge.frag.glsl';
import edgeVertex from './edge.vert.glsl';
import type { GlScope, Program } from './gl-scope';
import placeFunctions from './place.glsl';
import type { PointStyle } from './point-layer';

const VERSION = '#version 300 es\n';
const OPACITY = 0.45;

/** Draws edges between neighbors. */
export class EdgeLayer {
  #scope: GlScope;
  #program: Program;
  #buffer: WebGLBuffer;
  #array: WebGLVertexArrayObject;
  #edges: Float32Array | null = null;

  constructor(scope: GlScope) {
    this.#scope = scope;
    const { gl } = scope;
    this.#program = scope.program(edgeVertex.replace(VERSION, `${VERSION}${placeFunctions}`), edgeFragment);
    this.#buffer = scope.buffer();
    this.#array = scope.vertexArray();
    gl.bindVertexArray(this.#array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindVertexArray(null);
  }

  draw(edges: Float32Array, { scale, offset }: Pick<PointStyle, 'scale' | 'offset'>, dark: boolean): void {
    const { gl } = this.#scope;
    if (edges !== this.#edges) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
      gl.bufferData(gl.ARRAY_BUFFER, edges, gl.DYNAMIC_DRAW);
      this.#edges = edges;
    }
    const ink = dark ? OPACITY : 0;
    this.#program.use();
    gl.uniform4f(this.#program.uniform('scale'), ...scale);
    gl.uniform2f(this.#program.uniform('offset'), ...offset);
    gl.uniform4f(this.#program.uniform('color'), ink, ink, ink, OPACITY);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(this.#array);
    gl.drawArrays(gl.LINES, 0, edges.length / 2);
    gl.bindVertexArray(null);
  }
}
