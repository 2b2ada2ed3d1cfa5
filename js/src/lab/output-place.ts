import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { IConsoleTracker } from '@jupyterlab/console';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Output } from '../contract/output';
import { MIME_TYPE } from './output-data';

/** Notebook or console that contains an output. */
export interface Place {
  readonly session: ISessionContext;
  /** Path of the notebook on the server. */
  readonly path: string;
  /** Runs the cell that owns the output, optionally after all cells above it; null in a console. */
  readonly run: ((above: boolean) => Promise<void>) | null;
}

interface Parts {
  app: JupyterFrontEnd;
  notebooks: INotebookTracker | null;
  consoles: IConsoleTracker | null;
}

/**
 * Finds the notebook or console of an output by its resolver, the only object that a renderer shares with its document.
 * Unlike the position in the page, it also leads from a copy of an output in another tab to its notebook.
 */
export function placeOf(
  resolver: unknown,
  output: Output,
  { app, notebooks, consoles }: Parts,
): Place | null {
  if (!resolver) return null;
  const notebook = notebooks?.find((panel) => panel.content.rendermime.resolver === resolver);
  if (notebook)
    return {
      session: notebook.sessionContext,
      path: notebook.context.path,
      run: (above) => run(app, notebook, output, above),
    };
  const console = consoles?.find((panel) => panel.console.rendermime.resolver === resolver);
  return console ? { session: console.sessionContext, path: console.sessionContext.path, run: null } : null;
}

async function run(
  app: JupyterFrontEnd,
  notebook: NotebookPanel,
  output: Output,
  above: boolean,
): Promise<void> {
  const index = ownerOf(notebook, output);
  if (index < 0) return;
  app.shell.activateById(notebook.id);
  notebook.content.deselectAll();
  notebook.content.activeCellIndex = index;
  // The commands of the application: they start a kernel if there is none.
  if (above) await app.commands.execute('notebook:run-all-above');
  await app.commands.execute('notebook:run-cell');
}

/** Returns the index of the cell that has the output; -1 if none has it anymore. */
function ownerOf(notebook: NotebookPanel, { model }: Output): number {
  const cells = notebook.content.model?.cells ?? [];
  return [...cells].findIndex((cell) => {
    const { outputs } = cell.toJSON() as { outputs?: { data?: Record<string, unknown> }[] };
    return outputs?.some(({ data }) => (data?.[MIME_TYPE] as Partial<Output> | undefined)?.model === model);
  });
}
