import { asError, FormatError, isAbort } from '../../lib/errors';
import type { ReadContext } from '../../source/bundle-source';
import type { GeneTable } from '../gene-table';
import type { Batch, Question } from './comparer';
import { FIELDS, type Field } from './gene-test';
import { adjusted } from './tails';

/** Columns of the table of all genes: the numbers of each gene, and p-values adjusted for the number of genes. */
export type Column = Field | 'log10_p_adjusted' | 't_log10_p_adjusted';

export interface Differences {
  genes: readonly string[];
  columns: Readonly<Record<Column, Float64Array>>;
  /** Files whose genes are missing because they could not be read. */
  problems: readonly Error[];
}

/** Compares batches elsewhere: in a worker, or here in slices. */
export interface Engine {
  run(batch: Batch): Promise<{ numbers: Float64Array; damaged: boolean }>;
  /** Ends the work; what is still running is rejected. */
  dispose(): void;
}

/** Batches that are read ahead while one is compared. */
const AHEAD = 3;

/** Compares all genes of a table between two groups of cells. A file that cannot be read costs its own genes. */
export async function compareGenes(
  table: GeneTable,
  question: Omit<Question, 'steps'>,
  start: (question: Question) => Promise<Engine>,
  ctx: ReadContext,
): Promise<Differences> {
  const { names, batches } = table;
  const engine = await start({ ...question, steps: await table.steps({ signal: ctx.signal }) });
  ctx.signal.addEventListener('abort', engine.dispose, { once: true });
  const all = new Float64Array(names.length * FIELDS.length).fill(Number.NaN);
  const problems: Error[] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let batch = batches[next++]; batch; batch = batches[next++]) {
      ctx.signal.throwIfAborted();
      try {
        const { numbers, damaged } = await engine.run(await batch.read({ signal: ctx.signal }));
        all.set(numbers, batch.first * FIELDS.length);
        if (damaged) problems.push(new FormatError(batch.path, 'its genes do not match the index'));
      } catch (thrown) {
        if (isAbort(thrown, ctx.signal)) throw thrown;
        problems.push(asError(thrown));
      }
      done += batch.count;
      ctx.progress?.(done, names.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: AHEAD }, worker));
  } finally {
    ctx.signal.removeEventListener('abort', engine.dispose);
    engine.dispose();
  }
  const column = (at: number) =>
    Float64Array.from(names, (_, gene) => all[gene * FIELDS.length + at] as number);
  const fields = Object.fromEntries(FIELDS.map((field, at) => [field, column(at)])) as Record<
    Field,
    Float64Array
  >;
  return {
    genes: names,
    columns: {
      ...fields,
      log10_p_adjusted: adjusted(fields.log10_p),
      t_log10_p_adjusted: adjusted(fields.t_log10_p),
    },
    problems,
  };
}
