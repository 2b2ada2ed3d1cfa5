import type { Model } from './model';

/** A wait that the reader is told of. */
export interface Told {
  progress(done: number, total: number): void;
  end(): void;
}

/** Says in the model what is waited for: of several, the one that began last, then whichever goes on. */
export function taskTeller(model: Pick<Model, 'task' | 'status'>): (label: string) => Told {
  let told: object | null = null;
  return (label) => {
    const mine = {};
    const say = (done: number, total: number) => {
      told = mine;
      model.task.value = { label, done, total };
    };
    say(0, 0);
    let ended = false;
    return {
      progress(done, total) {
        const free = told === null || told === mine;
        if (!ended && free && model.status.value.kind === 'ready') say(done, total);
      },
      end() {
        ended = true;
        if (told !== mine) return;
        told = null;
        model.task.value = null;
      },
    };
  };
}
