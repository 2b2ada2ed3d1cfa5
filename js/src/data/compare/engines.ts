import { turns } from '../../lib/pause';
import type { Engine } from './compare';
import { type Batch, type Comparer, createComparer, type Question } from './comparer';

const canceled = () => new DOMException('The comparison was canceled.', 'AbortError');

/** Compares in the page, in short slices to keep it responsive. */
export async function sliced(question: Question): Promise<Engine> {
  const compare = createComparer(question);
  const turn = turns();
  let ended = false;
  let last: Promise<unknown> = Promise.resolve();
  const run = async (batch: Batch) => {
    const genes = compare(batch);
    for (;;) {
      const step = genes.next();
      if (step.done) return step.value;
      await turn();
      if (ended) throw canceled();
    }
  };
  return {
    // One after the other: all runs use the same buffers.
    run(batch) {
      const result = last.then(() => run(batch));
      last = result.catch(() => {});
      return result;
    },
    dispose() {
      ended = true;
    },
  };
}

/** The part of the global scope of a worker that is used here. */
export interface WorkerScope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

type Answer = { numbers: Float64Array<ArrayBuffer>; damaged: boolean };

/** Runs in a worker: receives the question first, then answers each batch in order. */
export function answerQuestions(scope: WorkerScope): void {
  let compare: Comparer | null = null;
  scope.onmessage = ({ data }: MessageEvent<Question | Batch>) => {
    if ('group' in data) {
      compare = createComparer(data);
      scope.postMessage(null);
      return;
    }
    const genes = compare?.(data);
    let step = genes?.next();
    while (step && !step.done) step = genes?.next();
    const answer = step?.value as Answer;
    scope.postMessage(answer, [answer.numbers.buffer]);
  };
}

type Waiting = { resolve: (answer: Answer) => void; reject: (error: Error) => void };

/** Compares in a worker; in slices if the browser cannot start one. */
export const inWorker =
  (create: () => Worker | null) =>
  (question: Question, signal: AbortSignal): Promise<Engine> =>
    new Promise((resolve, reject) => {
      const runInSlices = () => sliced(question).then(resolve, reject);
      let worker: Worker | null = null;
      try {
        worker = create();
      } catch {
        // The page's security policy forbids workers.
      }
      if (!worker) return void runInSlices();
      const started = worker;
      const waiting: Waiting[] = [];
      let begun = false;
      /** The reason why the worker no longer answers; null while it does. */
      let failure: Error | null = null;
      const fail = (error: Error) => {
        started.terminate();
        failure ??= error;
        for (const { reject } of waiting.splice(0)) reject(failure);
      };
      const end = () => {
        fail(canceled());
        reject(canceled());
      };
      signal.addEventListener('abort', end, { once: true });
      const broken = (event: Event) => {
        event.preventDefault();
        if (failure) return;
        const { message = 'no answer' } = event as Partial<ErrorEvent>;
        fail(new Error(`The comparison failed: ${message}.`));
        if (!begun) runInSlices();
      };
      started.onerror = broken;
      started.onmessageerror = broken;
      started.onmessage = ({ data }: MessageEvent<Answer | null>) => {
        if (data) return waiting.shift()?.resolve(data);
        begun = true;
        resolve({
          run: (batch) =>
            new Promise((resolve, reject) => {
              if (failure) return reject(failure);
              started.postMessage(batch, 'shard' in batch ? [batch.shard.raw.buffer as ArrayBuffer] : []);
              waiting.push({ resolve, reject });
            }),
          dispose() {
            signal.removeEventListener('abort', end);
            fail(canceled());
          },
        });
      };
      started.postMessage(question);
    });
