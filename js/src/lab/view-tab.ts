import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { createFrame, type Frame } from '../widget/frame';
import type { Model } from '../widget/model';
import type { Link } from './kernels';
import { closeWidget, type Windows } from './windows';

/** Content of a tab, stored to restore it when the page is reloaded. */
export interface Shown {
  title: string;
  /** Key of the tab, by which its position in the layout is restored. */
  key?: string;
  /** Kernel and model id of a live view. */
  kernel?: string;
  view?: string;
  /** Folder of the bundle on the Jupyter server; shown when the kernel is gone. */
  folder?: string;
}

/** Viewer in the main area. */
export class ViewTab extends Widget {
  shown: Shown;
  readonly key: string;
  /** Modification time of the bundle on disk; empty for a live view. */
  modified = '';
  /** Incremented when the tab begins to show something; late results of earlier attempts are discarded. */
  turn = 0;
  #frame: Frame | null = null;
  #end: (() => void) | null = null;

  constructor(shown: Shown) {
    super();
    this.shown = shown;
    this.key = shown.key ?? Math.random().toString(36).slice(2);
    this.addClass('kl-tab');
    this.title.label = shown.title;
    this.node.tabIndex = -1;
  }

  nextTurn(): number {
    return ++this.turn;
  }

  /** Shows a live view, which is closed in the kernel together with this tab. */
  showLive(shown: Shown, view: Model, channel: Model, link: Link, windows: Windows): void {
    this.#leave();
    this.shown = shown;
    this.modified = '';
    const id = shown.view ?? '';
    const unregister = windows.hold(id);
    this.#end = () => {
      unregister();
      closeWidget(link, id, windows);
    };
    this.#put(createFrame(view, channel));
  }

  showOnDisk(shown: Shown, model: Model, modified: string): void {
    this.#leave();
    this.shown = shown;
    this.modified = modified;
    this.#put(createFrame(model, model));
  }

  say(text: string): void {
    this.#leave();
    const note = document.createElement('p');
    note.className = 'kl-note kl-center';
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
    const end = this.#end;
    this.#end = null;
    end?.();
  }
}
