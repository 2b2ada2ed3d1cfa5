import { Disposer } from '../lib/disposer';
import { GraphicsError } from '../lib/errors';

export interface Program {
  /** Whether `use` has checked for errors, which blocks until the compiler and earlier drawing are done. */
  readonly built: boolean;
  use(): void;
  uniform(name: string): WebGLUniformLocation | null;
}

/** Creates and owns GL objects: `dispose` deletes them, `live` counts them. */
export class GlScope {
  readonly gl: WebGL2RenderingContext;
  #owned = new Disposer();
  #live = 0;

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
  }

  get live(): number {
    return this.#live;
  }

  #own<T>(object: T | null, release: (object: T) => void): T {
    if (!object) throw new GraphicsError('the WebGL context could not create an object');
    this.#live++;
    this.#owned.add(() => {
      release(object);
      this.#live--;
    });
    return object;
  }

  buffer(): WebGLBuffer {
    return this.#own(this.gl.createBuffer(), (buffer) => this.gl.deleteBuffer(buffer));
  }

  vertexArray(): WebGLVertexArrayObject {
    return this.#own(this.gl.createVertexArray(), (array) => this.gl.deleteVertexArray(array));
  }

  texture(filter: 'nearest' | 'linear'): WebGLTexture {
    const gl = this.gl;
    const texture = this.#own(gl.createTexture(), (texture) => gl.deleteTexture(texture));
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter === 'nearest' ? gl.NEAREST : gl.LINEAR);
    gl.texParameteri(
      gl.TEXTURE_2D,
      gl.TEXTURE_MIN_FILTER,
      filter === 'nearest' ? gl.NEAREST : gl.LINEAR_MIPMAP_LINEAR,
    );
    return texture;
  }

  program(vertex: string, fragment: string): Program {
    const gl = this.gl;
    const program = this.#own(gl.createProgram(), (program) => gl.deleteProgram(program));
    const stages: [number, string][] = [
      [gl.VERTEX_SHADER, vertex],
      [gl.FRAGMENT_SHADER, fragment],
    ];
    const shaders = stages.map(([type, source]) => {
      const shader = this.#own(gl.createShader(type), (shader) => gl.deleteShader(shader));
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      return shader;
    });
    gl.linkProgram(program);
    const check = () => {
      if (gl.getProgramParameter(program, gl.LINK_STATUS) || gl.isContextLost()) return;
      const reasons = [
        gl.getProgramInfoLog(program),
        ...shaders.map((shader) => gl.getShaderInfoLog(shader)),
      ];
      throw new GraphicsError(`a shader program failed to build: ${reasons.filter(Boolean).join(' ')}`);
    };
    let built = false;
    const uniforms = new Map<string, WebGLUniformLocation | null>();
    return {
      get built() {
        return built;
      },
      use() {
        if (!built) check();
        built = true;
        gl.useProgram(program);
      },
      uniform(name) {
        if (!uniforms.has(name)) uniforms.set(name, gl.getUniformLocation(program, name));
        return uniforms.get(name) ?? null;
      },
    };
  }

  dispose(): void {
    this.#owned.dispose();
  }
}
