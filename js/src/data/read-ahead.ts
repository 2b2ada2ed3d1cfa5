import type { ReadContext } from '../source/bundle-source';
import type { AssetReader } from './chunks';

/** Pause after the last read before reading ahead begins: users often choose several things in a row. */
const IDLE_MS = 400;

/** Makes a reader read ahead while it is idle. Any other read interrupts reading ahead. */
export function readingAhead(base: AssetReader): AssetReader {
  let busy = 0;
  let waiting: readonly ((ctx: ReadContext) => Promise<unknown>)[] = [];
  let current = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    clearTimeout(timer);
    current.abort(new DOMException('Interrupted by another read.', 'AbortError'));
  };
  const start = async () => {
    current = new AbortController();
    const { signal } = current;
    const next = waiting[0];
    if (!next) return;
    // Ignore failures: they are reported when the file is needed.
    await next({ signal, ahead: true }).catch(() => {});
    if (signal.aborted) return;
    waiting = waiting.slice(1);
    await start();
  };
  const startLater = () => {
    clearTimeout(timer);
    if (busy === 0 && waiting.length > 0) timer = setTimeout(start, IDLE_MS);
  };
  return {
    files: base.files,
    async read(path, raw, ctx) {
      if (ctx.ahead) return base.read(path, raw, ctx);
      stop();
      busy++;
      try {
        return await base.read(path, raw, ctx);
      } finally {
        busy--;
        startLater();
      }
    },
    readAhead(reads) {
      stop();
      waiting = reads;
      startLater();
    },
  };
}
