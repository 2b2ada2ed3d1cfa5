import type { Kernel } from '@jupyterlab/services';
import listing from './listing.py';

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

/** What an expression is worth in the kernel, without a trace in its history, its counters or its variables. */
async function evaluate(kernel: Kernel.IKernelConnection, expression: string): Promise<unknown> {
  const future = kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false,
    user_expressions: { karospace: expression },
  });
  const { content } = await future.done;
  if (content.status !== 'ok') throw new Error('The kernel did not answer.');
  const value = content.user_expressions.karospace as Record<string, unknown> | undefined;
  if (value?.status !== 'ok') throw new Error(`${String(value?.ename)}: ${String(value?.evalue)}`);
  return (value.data as Record<string, unknown>)['application/json'];
}

export async function listObjects(kernel: Kernel.IKernelConnection): Promise<Listing> {
  const code = JSON.stringify(listing);
  const value = await evaluate(
    kernel,
    `(lambda scope: (exec(${code}, scope), scope['answer'])[1])({'variables': globals()})`,
  );
  return value as Listing;
}

/** Asks `karospace_jupyter.lab` in the kernel; its errors are for people. */
export async function call(
  kernel: Kernel.IKernelConnection,
  request: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const text = JSON.stringify(JSON.stringify(request));
  const module = "__import__('karospace_jupyter.lab', fromlist=['call'])";
  const answer = (await evaluate(kernel, `${module}.call(${text})`)) as Record<string, unknown>;
  if (typeof answer.error === 'string') throw new Error(answer.error);
  return answer;
}
