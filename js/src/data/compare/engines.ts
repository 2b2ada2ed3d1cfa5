import { turns } from '../../lib/pause';
import type { Engine } from './compare';
import { type Batch, type Comparer, createComparer, type Question } from './comparer';

/** Compares here, in slices between which the page stays responsive. */
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
      if (ended) throw new DOMException('The comparison was canceled.', 'AbortError');
    }
  };
  return {
    // One after the other: they share their memory.
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

/** What is needed of the global scope of a worker. */
export interface WorkerScope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

type Answer = { numbers: Float64Array<ArrayBuffer>; damaged: boolean };

/** Answers in a worker: first to the question, then to each batch, in order. */
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

/** Compares in a worker; where the browser does not start one, in slices. */
export const inWorker =
  (create: () => Worker | null) =>
  (question: Question): Promise<Engine> =>
    new Promise((resolve, reject) => {
      const instead = () => sliced(question).then(resolve, reject);
      let worker: Worker | null = null;
      try {
        worker = create();
      } catch {
        // A policy of the page forbids workers.
      }
      if (!worker) return void instead();
      const started = worker;
      const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];
      const fail = (error: Error) => {
        for (const { reject } of waiting.splice(0)) reject(error);
      };
      let begun = false;
      started.onerror = (event) => {
        event.preventDefault();
        started.terminate();
        if (!begun) return void instead();
        fail(new Error(`The comparison failed: ${event.message}`));
      };
      started.onmessage = ({ data }: MessageEvent<Answer | null>) => {
        if (data) return waiting.shift()?.resolve(data);
        begun = true;
        resolve({
          run: (batch) =>
            new Promise((resolve, reject) => {
              waiting.push({ resolve, reject });
              started.postMessage(batch, 'shard' in batch ? [batch.shard.raw.buffer as ArrayBuffer] : []);
            }),
          dispose() {
            started.terminate();
            fail(new DOMException('The comparison was canceled.', 'AbortError'));
          },
        });
      };
      started.postMessage(question);
    });
