import type { Kernel, ServiceManager } from '@jupyterlab/services';

/** Starts a Python kernel in the folder of a file, in a new session that does not affect others for the same path. */
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
    // Do not handle comms: the connection would close that of the form, whose target it does not know.
    { kernelConnectionOptions: { handleComms: false } },
  );
  const model = session.kernel?.model;
  session.dispose(); // closes the connection, not the kernel
  if (!model) throw new Error('No Python kernel could be started. Check the kernels listed in the launcher.');
  return model;
}

interface Specs {
  default: string;
  kernelspecs: { [name: string]: { language?: string } | undefined };
}

/** Returns the default kernel if it runs Python, else the first kernel that does. */
export function pythonOf(specs: Specs | null): string {
  if (!specs) return 'python3';
  const runs = (name: string) => specs.kernelspecs[name]?.language?.toLowerCase() === 'python';
  return runs(specs.default) ? specs.default : (Object.keys(specs.kernelspecs).find(runs) ?? specs.default);
}
