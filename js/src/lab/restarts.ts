import type { Kernel, KernelMessage } from '@jupyterlab/services';

/** Calls `listener` when the state of the kernel is lost: it ended or was restarted, from this page or another one. */
export function onGone(kernel: Kernel.IKernelConnection, listener: () => void): () => void {
  // Each process of a kernel has its own session id.
  let process: string | null = null;
  const onStatus = (_: unknown, status: Kernel.Status) => {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') listener();
  };
  // A restart requested by another page only shows in the messages of the kernel when it shuts down and starts.
  const onMessage = (_: unknown, message: KernelMessage.IIOPubMessage) => {
    const { session, msg_type } = message.header;
    const type: string = msg_type;
    const known = process;
    process = session;
    if (type === 'shutdown_reply') listener();
    // The first “starting” status is that of a new kernel, not a restart.
    else if (
      type === 'status' &&
      (message.content as { execution_state?: string }).execution_state === 'starting' &&
      known !== null &&
      known !== session
    )
      listener();
  };
  kernel.statusChanged.connect(onStatus);
  kernel.iopubMessage.connect(onMessage);
  kernel.disposed.connect(listener);
  return () => {
    kernel.statusChanged.disconnect(onStatus);
    kernel.iopubMessage.disconnect(onMessage);
    kernel.disposed.disconnect(listener);
  };
}
