import type { GeneValues } from '../data/genes';

/**
 * The mean of a gene set in each cell, over the genes that have a value there, as scanpy's `score_genes` takes it.
 *
 * A cell has no score only where no gene of the set has a value.
 */
export class Score {
  #genes = 0;
  #sum: Float64Array;
  /** Genes without a value in each cell; null as long as there is none. */
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

  /** `partial` counts the cells whose mean is of a part of the genes. */
  mean(): { values: Float32Array; partial: number } {
    const absent = this.#absent;
    const genes = this.#genes;
    // `Float32Array.from` with a function takes twenty times as long.
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
