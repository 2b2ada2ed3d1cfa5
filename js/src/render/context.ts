import type { Disposer } from '../lib/disposer';
import { GraphicsError } from '../lib/errors';
import type { StatusActions } from '../state/status';

export function openContext(canvas: HTMLCanvasElement): WebGL2RenderingContext {
  const gl = canvas.getContext('webgl2', {
    antialias: false,
    alpha: true,
    premultipliedAlpha: true,
    powerPreference: 'high-performance',
  });
  if (!gl) throw new GraphicsError('this browser does not provide WebGL2');
  return gl;
}

/** Delay before a lost context is reported: after a reset, a driver recovers within two seconds. */
const LOST_AFTER_MS = 3000;

/** Watches for the loss of the context; shows a notice until it is restored. */
export function followContext(
  canvas: HTMLCanvasElement,
  { notify, dismiss }: Pick<StatusActions, 'notify' | 'dismiss'>,
  { onLost, onRestored }: { onLost(): void; onRestored(): void },
  disposer: Disposer,
): void {
  const lost = new GraphicsError('the WebGL context was lost and has not been restored');
  let report: ReturnType<typeof setTimeout> | undefined;
  disposer.listen(canvas, 'webglcontextlost', (event) => {
    event.preventDefault();
    onLost();
    report = setTimeout(() => notify(lost), LOST_AFTER_MS);
  });
  disposer.listen(canvas, 'webglcontextrestored', () => {
    clearTimeout(report);
    dismiss(lost);
    onRestored();
  });
  disposer.add(() => clearTimeout(report));
}

const POLL_MS = 8;
/** A GPU that answers within this time is idle. */
const AT_ONCE_MS = 24;
/** Maximum time to wait for the GPU. */
const PATIENCE_MS = 5000;
export const later = () => new Promise<void>((resolve) => setTimeout(resolve, POLL_MS));

/**
 * Releases the context, because browsers limit their number. Waits until the GPU is idle; earlier, this would block the
 * page.
 */
export async function releaseContext(gl: WebGL2RenderingContext): Promise<void> {
  const since = performance.now();
  const answerTime = async () => {
    const start = performance.now();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const waits = () => !gl.isContextLost() && performance.now() - since < PATIENCE_MS;
    while (fence && waits() && gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED) await later();
    gl.deleteSync(fence);
    return performance.now() - start;
  };
  while ((await answerTime()) > AT_ONCE_MS && performance.now() - since < PATIENCE_MS) await later();
  gl.getExtension('WEBGL_lose_context')?.loseContext();
}
