import type { StatusModel } from './status';

/** Reports the progress of one read to the user. */
export interface TaskProgress {
  progress(done: number, total: number): void;
  end(): void;
}

export type StartTask = (label: string) => TaskProgress;

/** Publishes progress in the model. Of several concurrent reads it shows the last one started, then any other. */
export function createTasks(model: Pick<StatusModel, 'task' | 'status'>): StartTask {
  let shown: object | null = null;
  return (label) => {
    const mine = {};
    const show = (done: number, total: number) => {
      shown = mine;
      model.task.value = { label, done, total };
    };
    show(0, 0);
    let ended = false;
    return {
      progress(done, total) {
        const free = shown === null || shown === mine;
        if (!ended && free && model.status.value.kind === 'ready') show(done, total);
      },
      end() {
        ended = true;
        if (shown !== mine) return;
        shown = null;
        model.task.value = null;
      },
    };
  };
}
