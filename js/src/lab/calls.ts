import type { Kernel, KernelMessage } from '@jupyterlab/services';
import listing from './listing.py';
import { onGone } from './restarts';

/** An AnnData object, or one inside of another object. */
export interface Found {
  /** As one would write it: `adata`, `mdata['rna']`. */
  label: string;
  /** The variable, then the key inside of it. */
  where: string[];
  cells: number;
  genes: number;
  coordinates: boolean;
}

export interface Listing {
  objects: Found[];
  /** Of the Python package beside the kernel; null where there is none. */
  version: string | null;
}

/** The kernel took the question along when it ended or was restarted, or someone gave up asking. */
export class Unanswered extends Error {}

const POLL_MS = 300;
/** A cell that raises makes a kernel drop what waits behind it: that is asked again. */
const ABORTED = 'aborted';

/**
 * What an expression is worth in the kernel, without a trace in its history, its counters or its variables.
 * It may take as long as the cells before it; it rejects with `Unanswered` when it never will be answered.
 */
async function evaluate(
  kernel: Kernel.IKernelConnection,
  expression: string,
  signal?: AbortSignal,
): Promise<unknown> {
  for (;;) {
    const content = await answered(kernel, expression, signal);
    if ((content.status as string) === ABORTED) continue;
    if (content.status !== 'ok') throw new Error('The kernel could not run the question.');
    const value = content.user_expressions.karospace as Record<string, unknown> | undefined;
    if (value?.status !== 'ok') throw new Error(`${String(value?.ename)}: ${String(value?.evalue)}`);
    return (value.data as Record<string, unknown>)['application/json'];
  }
}

function answered(
  kernel: Kernel.IKernelConnection,
  expression: string,
  signal?: AbortSignal,
): Promise<KernelMessage.IExecuteReplyMsg['content']> {
  return new Promise((resolve, reject) => {
    const lost = () => {
      leave();
      future.dispose();
      reject(new Unanswered('The kernel has stopped or was restarted.'));
    };
    const given = () => {
      leave();
      future.dispose();
      reject(new Unanswered('Nobody waits for the answer any more.'));
    };
    const leave = () => {
      forget();
      signal?.removeEventListener('abort', given);
    };
    const future = kernel.requestExecute({
      code: '',
      silent: true,
      store_history: false,
      allow_stdin: false,
      stop_on_error: false,
      user_expressions: { karospace: expression },
    });
    const forget = onGone(kernel, lost);
    signal?.addEventListener('abort', given);
    future.done.then(
      ({ content }) => {
        leave();
        resolve(content);
      },
      (thrown) => {
        leave();
        reject(thrown instanceof Error ? thrown : new Unanswered(String(thrown)));
      },
    );
    if (signal?.aborted) given();
  });
}

export async function listObjects(kernel: Kernel.IKernelConnection, signal?: AbortSignal): Promise<Listing> {
  const code = JSON.stringify(listing);
  const value = await evaluate(
    kernel,
    `(lambda scope: (exec(${code}, scope), scope['answer'])[1])({'variables': globals()})`,
    signal,
  );
  return value as Listing;
}

/** Asks `karospace_jupyter.lab` in the kernel; its errors are for people. */
export async function call(
  kernel: Kernel.IKernelConnection,
  request: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Record<string, unknown>> {
  let answer = await ask(kernel, request, signal);
  // Long work goes on in a thread of the kernel's: cells run meanwhile.
  while (answer.ticket !== undefined) {
    const { ticket } = answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    answer = await ask(kernel, { do: 'answer', ticket }, signal);
  }
  return answer;
}

async function ask(
  kernel: Kernel.IKernelConnection,
  request: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Record<string, unknown>> {
  const text = JSON.stringify(JSON.stringify(request));
  const module = "__import__('karospace_jupyter.lab', fromlist=['call'])";
  const answer = (await evaluate(kernel, `${module}.call(${text})`, signal)) as Record<string, unknown>;
  if (typeof answer.error === 'string') throw new Answered(answer.error, answer.kind === 'BundleError');
  return answer;
}

/** What the package says is wrong. */
export class Answered extends Error {
  constructor(
    message: string,
    /** Whether a bundle's files are not as its manifest says. */
    readonly damaged: boolean,
  ) {
    super(message);
  }
}

/** Whether two versions are the same: Python writes 0.2.0rc1 where npm writes 0.2.0-rc.1. */
export function sameVersion(one: string, other: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]+/g, '');
  return plain(one) === plain(other);
}
