// Runs before the viewer, and measures each of its frames, from the first line of script until a pixel was read back.
(() => {
  'use strict';
  const frames = [];
  let drawn = null;
  let context = null;
  let program = null;
  const drawArrays = WebGL2RenderingContext.prototype.drawArrays;
  WebGL2RenderingContext.prototype.drawArrays = function (mode, first, count) {
    drawArrays.call(this, mode, first, count);
    if (mode !== this.POINTS) return;
    context = this;
    // The viewer may compile other programs in the meantime.
    program = this.getParameter(this.CURRENT_PROGRAM);
    drawn = count;
  };
  const uniform = (gl, name) => gl.getUniform(program, gl.getUniformLocation(program, name));
  const read = (gl) => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  const nextFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (work) =>
    nextFrame((time) => {
      drawn = null;
      const start = performance.now();
      work(time);
      if (drawn === null || !bench.timing) return;
      const count = drawn;
      read(context);
      frames.push({ms: performance.now() - start, count});
    });
  const nextTask = () => new Promise((done) => setTimeout(done));
  const canvas = () => document.querySelector('canvas');

  const bench = {
    /** Whether frames are timed. */
    timing: false,
    /** Return the parameters of the last frame, for drawing the same image. */
    picture() {
      const gl = context;
      // The initial view is not rotated, so the matrix is diagonal.
      const [sx, , , sy] = uniform(gl, 'scale');
      const view = [sx, sy, ...uniform(gl, 'offset')];
      return {width: gl.drawingBufferWidth, height: gl.drawingBufferHeight, view, size: uniform(gl, 'size')};
    },
    /** Turn the wheel; return the times of the frames while moving, and of the full frame afterwards. */
    async turns(count, cells) {
      bench.timing = true;
      const moving = [];
      for (let i = 0; i < count; i++) {
        frames.length = 0;
        const start = performance.now();
        const turn = {deltaY: i % 2 ? 1 : -1, clientX: 400, clientY: 400, bubbles: true, cancelable: true};
        canvas().dispatchEvent(new WheelEvent('wheel', turn));
        // The panels render in microtasks.
        for (let j = 0; j < 5; j++) await null;
        const script = performance.now() - start;
        while (frames.length === 0) await nextTask();
        if (frames[0].count < cells) moving.push(frames[0].ms + script);
      }
      const full = () => frames.find((frame) => frame.count >= cells);
      while (!full()) await nextTask();
      bench.timing = false;
      return {moving, full: full().ms};
    },
    /** Change the state; return the time until the new frame was read back. */
    async change(state) {
      const start = performance.now();
      await window.karospace.setState(state);
      read(context);
      return performance.now() - start;
    },
    /** Return the times from the release of a lasso: `script` until the panels show the selection, `drawn` until it was read back. */
    lasso() {
      return new Promise((done) => {
        let start = 0;
        addEventListener('pointerup', () => { start = performance.now(); }, {capture: true, once: true});
        const known = window.karospace.on('selection', async ({count}) => {
          if (start === 0) return;
          for (let j = 0; j < 5; j++) await null;
          known();
          const script = performance.now() - start;
          const drawn = window.karospace.on('drawn', () => {
            drawn();
            read(context);
            done({script, drawn: performance.now() - start, count});
          });
        });
      });
    },
  };
  window.bench = bench;
})();
