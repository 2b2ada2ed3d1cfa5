// Draws the same cells with regl-scatterplot in its performance mode, as a user of the library would.
import createScatterplot from 'regl-scatterplot';

const picture = JSON.parse(new URLSearchParams(location.search).get('picture'));

const RAMP = Array.from({length: 256}, (_, i) => [i / 255, i / 255, 1 - i / 255, 1]);
// A square of 200 points around the center, like a line drawn by hand.
const EDGE = Array.from({length: 50}, (_, i) => i / 25 - 1);
const RING = [...EDGE.map((e) => [e, -1]), ...EDGE.map((e) => [1, e]), ...EDGE.map((e) => [-e, 1]), ...EDGE.map((e) => [-1, -e])];

async function bytes(paths) {
  const parts = await Promise.all(
    paths.map(async (path) => {
      const stored = await (await fetch(path)).blob();
      return new Response(stored.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
    }),
  );
  return new Blob(parts).arrayBuffer();
}

/** Resolves to the time of the first frame. Afterwards, `frame`, `color` and `lasso` run, and return the milliseconds that this takes. */
window.first = (async () => {
  const manifest = await (await fetch('manifest.json')).json();
  const [place, codes] = await Promise.all([
    bytes(manifest.coordinates.chunks.map(({path}) => path)),
    bytes(manifest.columns[0].chunks.map(({path}) => path)),
  ]);
  const canvas = document.querySelector('canvas');
  const {width, height, view, size} = picture;
  const xy = new Float32Array(place);
  const [x0, y0, x1, y1] = manifest.coordinates.extent;
  const x = new Float32Array(xy.length / 2);
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    x[i] = ((xy[2 * i] - (x0 + x1) / 2) * view[0] * width) / height;
    y[i] = (xy[2 * i + 1] - (y0 + y1) / 2) * view[1];
  }
  const colors = manifest.columns[0].categories.map(({color}) => color);
  const plot = createScatterplot({
    canvas, width, height, pointSize: size, opacity: 1, performanceMode: true, colorBy: 'valueA', pointColor: colors,
  });
  const gl = plot.get('regl')._gl;
  const read = () => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  await plot.draw({x, y, valueA: new Uint8Array(codes)}, {zDataType: 'categorical'});
  read();
  const first = performance.now();
  const timed = async (work) => {
    const start = performance.now();
    await work();
    read();
    return performance.now() - start;
  };
  window.frame = () =>
    timed(() => {
      const drawn = new Promise((done) => { plot.subscribe('draw', done, 1); });
      plot.redraw();
      return drawn;
    });
  const spatialIndex = plot.get('spatialIndex');
  const genes = manifest.expression.genes.slice(0, 4);
  const values = await Promise.all(genes.map(({chunks}) => bytes(chunks.map(({path}) => path))));
  window.color = (gene) => {
    plot.set({pointColor: RAMP});
    const points = {x, y, valueA: new Float32Array(values[gene])};
    return timed(() => plot.draw(points, {spatialIndex, zDataType: 'continuous'}));
  };
  // In uniform noise, half the width and half the height contain a quarter of the cells.
  const [w, h] = [((x1 - x0) / 4) * view[0] * (width / height), ((y1 - y0) / 4) * Math.abs(view[1])];
  window.lasso = () => {
    const start = performance.now();
    plot.lassoSelect(RING.map(([across, down]) => [across * w, down * h]), {isGl: true});
    const took = performance.now() - start;
    const count = plot.get('selectedPoints').length;
    plot.deselect();
    return {script: took, count};
  };
  return first;
})();
