import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { Failed, PanelAnswers, Ticket } from '../contract/panel-answers';
import type { PanelRequest } from '../contract/panel-requests';
import type { Plain } from '../contract/plain';
import listing from './listing.py';
import { onGone } from './restarts';

/** AnnData object in the kernel, possibly nested in another object. */
export interface Found {
  /** Python expression for the object: `adata`, `mdata['rna']`. */
  label: string;
  /** Variable name, followed by the key for a nested object. */
  where: string[];
  cells: number;
  genes: number;
  coordinates: boolean;
}

export interface Listing {
  objects: Found[];
  /** Version of the Python package in the kernel's environment; null if it is not installed. */
  version: string | null;
}

/** The request was lost because the kernel ended or was restarted, or it was aborted. */
export class Unanswered extends Error {}

const POLL_MS = 300;
/** Reply status if a cell raised before the request; kernels drop queued requests then, so it is repeated. */
const ABORTED = 'aborted';

/**
 * Evaluates an expression in the kernel without affecting its history, execution count or variables.
 * Waits for the cells queued before it. Rejects with `Unanswered` if no reply will arrive.
 */
async function evaluate(
  kernel: Kernel.IKernelConnection,
  expression: string,
  signal?: AbortSignal,
): Promise<unknown> {
  for (;;) {
    const content = await answered(kernel, expression, signal);
    if ((content.status as string) === ABORTED) continue;
    if (content.status !== 'ok') throw new Error('The kernel could not run the request.');
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
    const aborted = () => {
      leave();
      future.dispose();
      reject(new Unanswered('The request was canceled.'));
    };
    const leave = () => {
      forget();
      signal?.removeEventListener('abort', aborted);
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
    signal?.addEventListener('abort', aborted);
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
    if (signal?.aborted) aborted();
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

/** Calls `karospace_jupyter.lab` in the kernel. Its error messages can be shown to users. */
export async function call<R extends Plain<PanelRequest>>(
  kernel: Kernel.IKernelConnection,
  request: R,
  signal?: AbortSignal,
): Promise<PanelAnswers[R['do']]> {
  let answer = await ask(kernel, request, signal);
  // Long tasks run in a thread of the kernel, so that cells can run meanwhile; poll for the result.
  while ('ticket' in answer) {
    const { ticket } = answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    answer = await ask(kernel, { do: 'answer', ticket }, signal);
  }
  return answer as PanelAnswers[R['do']];
}

async function ask(
  kernel: Kernel.IKernelConnection,
  request: Plain<PanelRequest>,
  signal?: AbortSignal,
): Promise<PanelAnswers[keyof PanelAnswers] | Ticket> {
  const text = JSON.stringify(JSON.stringify(request));
  const module = "__import__('karospace_jupyter.lab', fromlist=['call'])";
  const answer = (await evaluate(kernel, `${module}.call(${text})`, signal)) as
    | PanelAnswers[keyof PanelAnswers]
    | Failed;
  if ('error' in answer) throw new Answered(answer.error, answer.kind === 'BundleError');
  return answer;
}

/** Error reported by the Python package. */
export class Answered extends Error {
  constructor(
    message: string,
    /** Whether files of a bundle do not match its manifest. */
    readonly damaged: boolean,
  ) {
    super(message);
  }
}

/** Returns whether two versions are equal, ignoring separators: Python writes 0.2.0rc1, npm writes 0.2.0-rc.1. */
export function sameVersion(one: string, other: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]+/g, '');
  return plain(one) === plain(other);
}
