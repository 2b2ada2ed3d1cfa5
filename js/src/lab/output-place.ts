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
  /**
   * Runs the cell that owns the output, optionally after all cells above it; null in a console. Returns false if the
   * cells above did not finish: then the cell is not run, and keeps its output.
   */
  readonly run: ((above: boolean) => Promise<boolean>) | null;
  /** Returns whether there are cells above. */
  hasAbove(): boolean;
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
      hasAbove: () => ownerOf(notebook, output) > 0,
    };
  const console = consoles?.find((panel) => panel.console.rendermime.resolver === resolver);
  if (!console) return null;
  const { sessionContext: session } = console;
  return { session, path: session.path, run: null, hasAbove: () => false };
}

async function run(
  app: JupyterFrontEnd,
  notebook: NotebookPanel,
  output: Output,
  above: boolean,
): Promise<boolean> {
  app.shell.activateById(notebook.id);
  // Use the application's commands: they start a kernel if there is none. With these arguments, they run cells of this
  // notebook without activating its tab: by the time the cells above finish, the user may be in another one.
  const args = { semanticWidget: notebook.id, activate: false };
  if (above && ownerOf(notebook, output) > 0) {
    select(notebook, output);
    if ((await app.commands.execute('notebook:run-all-above', args)) === false) return false;
  }
  // The user may have chosen another cell in the meantime.
  if (select(notebook, output)) await app.commands.execute('notebook:run-cell', args);
  return true;
}

/** Makes the cell that has the output the active one. Returns false if none has it anymore. */
function select(notebook: NotebookPanel, output: Output): boolean {
  const index = ownerOf(notebook, output);
  if (index < 0) return false;
  notebook.content.deselectAll();
  notebook.content.activeCellIndex = index;
  return true;
}

/** Returns the index of the cell that has the output; -1 if none has it anymore. */
function ownerOf(notebook: NotebookPanel, { model }: Output): number {
  const cells = notebook.content.model?.cells ?? [];
  return [...cells].findIndex((cell) => {
    const { outputs } = cell.toJSON() as { outputs?: { data?: Record<string, unknown> }[] };
    return outputs?.some(({ data }) => (data?.[MIME_TYPE] as Partial<Output> | undefined)?.model === model);
  });
}
