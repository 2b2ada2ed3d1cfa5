import { asError, FormatError, isAbort } from '../../lib/errors';
import type { ReadContext } from '../../source/bundle-source';
import type { GeneBatch, GeneTable } from '../gene-table';
import type { Batch, Question } from './comparer';
import type { Differences } from './differences';
import { FIELDS, type Field } from './gene-test';
import { adjusted } from './tails';

/** Runs a comparison, in a worker or in slices. */
export interface Engine {
  run(batch: Batch): Promise<{ numbers: Float64Array; damaged: boolean }>;
  /** Stops the engine; pending runs reject. */
  dispose(): void;
}

/** Number of batches in progress at once: the others are read while one is compared. */
const AT_ONCE = 3;

/** Compares all genes of a table between two groups of cells. Genes of unreadable files are NaN. */
export async function compareGenes(
  table: GeneTable,
  question: Omit<Question, 'steps'>,
  start: (question: Question, signal: AbortSignal) => Promise<Engine>,
  ctx: ReadContext,
): Promise<Differences> {
  const { names, batches } = table;
  const { signal } = ctx;
  const engine = await start({ ...question, steps: await table.steps({ signal }) }, signal);
  const all = new Float64Array(names.length * FIELDS.length).fill(Number.NaN);
  const problems: Error[] = [];
  let next = 0;
  let done = 0;
  const read = async (batch: GeneBatch): Promise<Batch | null> => {
    try {
      return await batch.read({ signal });
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      problems.push(asError(thrown));
      return null;
    }
  };
  const worker = async () => {
    for (let batch = batches[next++]; batch; batch = batches[next++]) {
      signal.throwIfAborted();
      const given = await read(batch);
      if (given) {
        const { numbers, damaged } = await engine.run(given);
        all.set(numbers, batch.first * FIELDS.length);
        if (damaged) problems.push(new FormatError(batch.path, 'its genes do not match the index'));
      }
      done += batch.count;
      ctx.progress?.(done, names.length);
    }
  };
  signal.addEventListener('abort', engine.dispose, { once: true });
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    signal.removeEventListener('abort', engine.dispose);
    engine.dispose();
  }
  // If all batches failed, report the first error.
  if (problems[0] && problems.length === batches.length) throw problems[0];
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
