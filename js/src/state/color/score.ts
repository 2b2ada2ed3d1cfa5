import type { GeneValues } from '../../data/gene-store';

/**
 * Computes the mean of a gene set in each cell, over the genes with a value there.
 *
 * A cell has no score only if no gene of the set has a value. Unlike scanpy's `score_genes`, this subtracts
 * no reference.
 */
export class Score {
  #genes = 0;
  #sum: Float64Array;
  /** Number of genes without a value in each cell; null until the first missing value. */
  #absent: Uint32Array | null = null;

  constructor(cells: number) {
    this.#sum = new Float64Array(cells);
  }

  add({ values }: Pick<GeneValues, 'values'>): void {
    this.#genes++;
    const sum = this.#sum;
    for (let cell = 0; cell < sum.length; cell++) {
      const value = values[cell] ?? Number.NaN;
      if (Number.isFinite(value)) sum[cell] = (sum[cell] ?? 0) + value;
      else {
        this.#absent ??= new Uint32Array(sum.length);
        this.#absent[cell] = (this.#absent[cell] ?? 0) + 1;
      }
    }
  }

  /** Returns the scores; `partial` counts cells whose mean is over only some of the genes. */
  mean(): { values: Float32Array; partial: number } {
    const absent = this.#absent;
    const genes = this.#genes;
    // Twenty times as fast as `Float32Array.from` with a function.
    if (!absent) return { values: new Float32Array(this.#sum.map((total) => total / genes)), partial: 0 };
    let partial = 0;
    const means = this.#sum.map((total, cell) => {
      const found = genes - (absent[cell] ?? 0);
      if (found > 0 && found < genes) partial++;
      return found > 0 ? total / found : Number.NaN;
    });
    return { values: new Float32Array(means), partial };
  }
}
