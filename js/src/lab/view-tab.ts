import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { createFrame, type Frame } from '../widget/frame';
import type { Model } from '../widget/model';
import type { Link } from './kernels';

/** What a tab shows, as it is remembered when the page is loaded again. */
export interface Shown {
  title: string;
  /** Of the tab: its place in the layout is found by it, whatever it shows later. */
  key?: string;
  /** Of a view in a kernel. */
  kernel?: string;
  view?: string;
  /** Of the bundle, as Jupyter's files know it; also what remains when the kernel has gone. */
  folder?: string;
}

/** A viewer in the main area. */
export class ViewTab extends Widget {
  shown: Shown;
  readonly key: string;
  #frame: Frame | null = null;
  #link: Link | null = null;
  #channel: Model | null = null;

  constructor(shown: Shown) {
    super();
    this.shown = shown;
    this.key = shown.key ?? Math.random().toString(36).slice(2);
    this.addClass('kl-tab');
    this.title.label = shown.title;
    this.node.tabIndex = -1;
  }

  /** Shows a view of a kernel; the kernel's part ends with this tab. */
  showLive(shown: Shown, view: Model, channel: Model, link: Link): void {
    this.#leave();
    this.shown = shown;
    this.#link = link;
    this.#channel = channel;
    this.#put(createFrame(view, channel));
  }

  showOnDisk(shown: Shown, model: Model): void {
    this.#leave();
    this.shown = shown;
    this.#put(createFrame(model, model));
  }

  say(text: string): void {
    this.#leave();
    const note = document.createElement('p');
    note.className = 'kl-note kl-centre';
    note.setAttribute('role', 'status');
    note.textContent = text;
    this.node.replaceChildren(note);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#leave();
    super.dispose();
  }

  #put(frame: Frame): void {
    this.#frame = frame;
    this.node.replaceChildren(frame.element);
    MessageLoop.sendMessage(this, Widget.Msg.UpdateRequest);
  }

  #leave(): void {
    this.#frame?.dispose();
    this.#frame = null;
    try {
      this.#channel?.send({ type: 'close' });
    } catch {
      // The kernel has gone, and its part with it.
    }
    this.#channel = null;
    // After the message is on its way.
    const link = this.#link;
    this.#link = null;
    if (link) setTimeout(() => link.release(), 500);
  }
}
