import type { Bundle } from '../data/bundle';
import { asError } from '../lib/errors';
import type { ReadContext } from '../source/bundle-source';
import type { StatusModel } from './status';
import { createTasks, type StartTask } from './tasks';

/** What the loaders of all features share. */
export interface LoadContext {
  /** Aborted when the viewer is closed. */
  readonly closed: AbortSignal;
  startTask: StartTask;
  /** Reads with progress for the user, until `signal` or `closed` aborts. */
  readAsTask<T>(
    label: string,
    signal: AbortSignal | undefined,
    read: (ctx: ReadContext) => Promise<T>,
  ): Promise<T>;
  /** Returns a `ReadContext.later` that defers checks until the data is drawn; `damaged` is called if one fails. */
  checkLater(damaged: (error: Error) => void): (check: () => Promise<void>) => void;
  /** Runs the deferred checks. Called when the first frame is drawn; later checks run shortly after their read. */
  runChecks(): void;
  close(): void;
}

export interface MatrixLoader {
  /**
   * Returns the bundle with the genes of this matrix, or of the first one if `name` is null. Resolves to null
   * before a bundle is loaded.
   */
  matrix(name: string | null, signal?: AbortSignal): Promise<Bundle | null>;
}

const CHECK_AFTER_MS = 300;

export function createLoadContext(model: Pick<StatusModel, 'task' | 'status'>): LoadContext {
  const closing = new AbortController();
  const closed = closing.signal;
  const startTask = createTasks(model);
  /** Checks deferred until the first frame is drawn; null afterwards. */
  let deferred: (() => void)[] | null = [];
  const timers = new Set<ReturnType<typeof setTimeout>>();
  return {
    closed,
    startTask,
    async readAsTask(label, signal, read) {
      const either = signal ? AbortSignal.any([signal, closed]) : closed;
      const task = startTask(label);
      try {
        const value = await read({ signal: either, progress: task.progress });
        either.throwIfAborted();
        return value;
      } finally {
        task.end();
      }
    },
    checkLater: (damaged) => (check) => {
      const run = () => {
        if (!closed.aborted) check().catch((thrown) => closed.aborted || damaged(asError(thrown)));
      };
      if (deferred) return void deferred.push(run);
      const timer = setTimeout(() => {
        timers.delete(timer);
        run();
      }, CHECK_AFTER_MS);
      timers.add(timer);
    },
    runChecks() {
      for (const run of deferred ?? []) run();
      deferred = null;
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      closing.abort(new DOMException('The viewer was closed.', 'AbortError'));
    },
  };
}
