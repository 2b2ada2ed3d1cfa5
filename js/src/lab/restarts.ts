import type { Kernel, KernelMessage } from '@jupyterlab/services';

/** Calls `listener` when what the kernel held is gone: it ended, or it was restarted, from here or from elsewhere. */
export function onGone(kernel: Kernel.IKernelConnection, listener: () => void): () => void {
  // Each process of a kernel speaks under a session of its own.
  let process: string | null = null;
  const onStatus = (_: unknown, status: Kernel.Status) => {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') listener();
  };
  // Of a restart that another page asked for, nothing else is heard than what a kernel says as it goes and as it comes.
  const onMessage = (_: unknown, message: KernelMessage.IIOPubMessage) => {
    const { session, msg_type } = message.header;
    const type: string = msg_type;
    const known = process;
    process = session;
    if (type === 'shutdown_reply') listener();
    // A kernel that has just been started says so to whom connects at once: that is no restart.
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
