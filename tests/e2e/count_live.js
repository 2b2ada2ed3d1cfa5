// Runs before the page's own script and counts the resources that the page has acquired and not released.
(() => {
  const listeners = new Map();
  const timers = new Set();
  const frames = new Set();
  const observers = new Set();
  const workers = new Set();
  const urls = new Set();
  const gl = new Set();
  // Counted separately: programs are built when a frame first needs them, and kept.
  const programs = new Set();
  const contexts = new Set();
  const later = window.setTimeout;
  // Downloads are kept for a minute: shortened, so that no test waits that long.
  const LONGEST_MS = 2000;
  // Excludes listeners of Playwright. The hash is ignored because it changes with the view.
  const byPage = () => new Error().stack.includes(location.href.split('#')[0]);

  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const isCapture = (options) => (typeof options === 'object' ? !!options?.capture : !!options);
  const heldOf = (target, type, capture) => {
    if (!listeners.has(target)) listeners.set(target, new Map());
    const byType = listeners.get(target);
    const key = `${type}${capture ? ' (capture)' : ''}`;
    if (!byType.has(key)) byType.set(key, new Set());
    return byType.get(key);
  };
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    const target = this ?? window;
    if (listener && byPage()) {
      const held = heldOf(target, type, isCapture(options));
      held.add(listener);
      const forget = () => held.delete(listener);
      if (options?.once) addEventListener.call(target, type, forget, { once: true, capture: isCapture(options) });
      if (options?.signal) addEventListener.call(options.signal, 'abort', forget, { once: true });
    }
    return addEventListener.call(target, type, listener, options);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, options) {
    const target = this ?? window;
    heldOf(target, type, isCapture(options)).delete(listener);
    return removeEventListener.call(target, type, listener, options);
  };

  const counted = (start, stop, held, repeats = false) => {
    const [started, stopped] = [window[start], window[stop]];
    window[start] = (work, delay, ...rest) => {
      const run = (...given) => {
        if (!repeats) held.delete(id);
        work(...given);
      };
      const id = started(run, delay === undefined ? delay : Math.min(delay, LONGEST_MS), ...rest);
      if (byPage()) held.add(id);
      return id;
    };
    window[stop] = (id) => {
      held.delete(id);
      stopped(id);
    };
  };
  counted('setTimeout', 'clearTimeout', timers);
  counted('setInterval', 'clearInterval', timers, true);
  counted('requestAnimationFrame', 'cancelAnimationFrame', frames);

  for (const name of ['ResizeObserver', 'MutationObserver', 'IntersectionObserver']) {
    window[name] = class extends window[name] {
      observe(...given) {
        if (byPage()) observers.add(this);
        super.observe(...given);
      }
      disconnect() {
        observers.delete(this);
        super.disconnect();
      }
    };
  }
  window.Worker = class extends window.Worker {
    constructor(...given) {
      super(...given);
      workers.add(this);
    }
    terminate() {
      workers.delete(this);
      super.terminate();
    }
  };
  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = (object) => {
    const url = createObjectURL(object);
    urls.add(url);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    urls.delete(url);
    revokeObjectURL(url);
  };
  const drawing = WebGL2RenderingContext.prototype;
  const made = (make, remove, held) => {
    const [create, destroy] = [drawing[make], drawing[remove]];
    drawing[make] = function (...given) {
      const object = create.apply(this, given);
      if (object) held.add(object);
      return object;
    };
    drawing[remove] = function (object) {
      held.delete(object);
      return destroy.call(this, object);
    };
  };
  for (const kind of ['Buffer', 'VertexArray', 'Texture', 'Framebuffer', 'Renderbuffer', 'Query'])
    made(`create${kind}`, `delete${kind}`, gl);
  made('fenceSync', 'deleteSync', gl);
  for (const kind of ['Program', 'Shader']) made(`create${kind}`, `delete${kind}`, programs);
  const { getContext } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.getContext = function (kind, ...given) {
    const context = getContext.call(this, kind, ...given);
    if (context && kind === 'webgl2') contexts.add(context);
    return context;
  };

  // A listener on an element that was removed from the page is collected with it.
  const gone = (target) => target instanceof Node && !target.isConnected;
  window.live = () => ({
    listeners: [...listeners]
      .filter(([target]) => !gone(target))
      .flatMap(([target, byType]) =>
        [...byType].flatMap(([type, held]) => Array(held.size).fill(`${target.constructor.name} ${type}`)),
      ),
    timers: timers.size,
    frames: frames.size,
    observers: observers.size,
    workers: workers.size,
    urls: urls.size,
    gl: gl.size,
    programs: programs.size,
    contexts: [...contexts].filter((context) => !context.isContextLost()).length,
  });
  const isEmpty = ({ listeners: held, ...counts }) =>
    held.length === 0 && Object.values(counts).every((count) => count === 0);
  /** Returns the live resources after waiting for those that are released with a delay. */
  window.leftOver = async () => {
    for (let i = 0; i < 50 && !isEmpty(window.live()); i++) await new Promise((done) => later(done, 100));
    return window.live();
  };
})();
