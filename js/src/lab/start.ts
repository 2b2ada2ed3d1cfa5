import type { Kernel, ServiceManager } from '@jupyterlab/services';

/** Starts a Python kernel beside a file, in a session of its own: one that is there for the same path stays alone. */
export async function startPython(
  manager: ServiceManager.IManager,
  path: string,
  name: string,
): Promise<Kernel.IModel> {
  const { sessions, kernelspecs } = manager;
  await kernelspecs.ready;
  const session = await sessions.startNew(
    {
      path: `${path}-karospace-${Math.random().toString(36).slice(2)}`,
      name,
      type: 'karospace',
      kernel: { name: pythonOf(kernelspecs.specs) },
    },
    // A connection that handles comms closes those whose target it does not know: the form's.
    { kernelConnectionOptions: { handleComms: false } },
  );
  const model = session.kernel?.model;
  session.dispose(); // the connection, not the kernel
  if (!model) throw new Error('No kernel could be started.');
  return model;
}

interface Specs {
  default: string;
  kernelspecs: { [name: string]: { language?: string } | undefined };
}

/** The default kernel when it runs Python, else the first that does. */
export function pythonOf(specs: Specs | null): string {
  if (!specs) return 'python3';
  const runs = (name: string) => specs.kernelspecs[name]?.language?.toLowerCase() === 'python';
  return runs(specs.default) ? specs.default : (Object.keys(specs.kernelspecs).find(runs) ?? specs.default);
}
