import { INIT, type Init, type ToHost, type ToViewer } from '../contract/host';

/** Connection to the viewer in a frame. Messages that are posted before it is open are sent when it opens. */
export class ViewerPort {
  readonly #listen: (message: ToHost) => void;
  readonly #early: [ToViewer, Transferable[]][] = [];
  #port: MessagePort | null = null;

  constructor(listen: (message: ToHost) => void) {
    this.#listen = listen;
  }

  get isOpen(): boolean {
    return this.#port !== null;
  }

  open(target: Window, init: Omit<Init, 'type'>): void {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<ToHost>) => this.#listen(data);
    const message: Init = { type: INIT, ...init };
    target.postMessage(message, '*', [port2]);
    for (const [early, transfer] of this.#early.splice(0)) port1.postMessage(early, transfer);
  }

  post(message: ToViewer, transfer: Transferable[] = []): void {
    if (this.#port) this.#port.postMessage(message, transfer);
    else this.#early.push([message, transfer]);
  }

  close(): void {
    this.#port?.close();
    this.#port = null;
  }
}
