import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { createFrame, type Frame } from '../widget/frame';
import type { Model } from '../widget/model';
import type { Link } from './kernels';
import { closeWidget, type Windows } from './windows';

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
  /** When the bundle on disk was written that is shown; empty for a view of a kernel. */
  modified = '';
  /** Which filling is the latest: an earlier one that comes late is not shown. */
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

  /** Shows a view of a kernel; the kernel's part ends with this tab. */
  showLive(shown: Shown, view: Model, channel: Model, link: Link, windows: Windows): void {
    this.#leave();
    this.shown = shown;
    this.modified = '';
    const id = shown.view ?? '';
    const held = windows.hold(id);
    this.#end = () => {
      held();
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
    const end = this.#end;
    this.#end = null;
    end?.();
  }
}
