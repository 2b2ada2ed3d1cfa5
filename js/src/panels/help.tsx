import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { IconButton } from './icons';

const LINES: readonly [string, string][] = [
  ['Drag', 'move'],
  ['Wheel, pinch', 'zoom'],
  ['Double click, with Shift', 'zoom in, out'],
  ['V  L  M  Z', 'move, lasso, rectangle, zoom to a box'],
  ['Shift, Alt, both', 'draw to add, to take away, to keep what is in both'],
  ['Space, middle button', 'move while a tool draws'],
  ['Esc', 'drop the line, the selection'],
  ['Ctrl Z, with Shift', 'the selection or regions before, after'],
  ['← → ↑ ↓', 'move'],
  ['+  −', 'zoom'],
  ['0', 'show all cells'],
  ['Q  F', 'turn by 90°, mirror'],
  ['R', 'reset the view'],
  ['I', 'the image on, off'],
  ['B  X', 'an embedding beside, swap the two'],
  ['[  ]  or  ,  .', 'the section before, the next; from all of them to one'],
  ['/', 'search a gene'],
  ['P', 'fold the panel'],
  ['S', 'save a picture, a table, the view'],
  ['T', 'light, dark, as the system'],
  ['Click on a class', 'hide or show it'],
  ['Double click, Shift Enter', 'show only this class'],
  ['Alt click, Alt Enter on a class', 'select its cells, with Shift in addition'],
  ['Shift, Alt click on a region', 'add it, take it away, both: keep what is in both'],
  ['F2, Delete on a region', 'rename, remove it'],
  ['← →, Page ↑ ↓ on a limit', 'move a limit of the colours'],
  ['?', 'this help'],
];

export function Help({ onClose }: { onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // A dialog that is taken away without being closed gives the focus to nobody.
    return () => shown?.close();
  }, []);
  return (
    <dialog
      class="ks-card ks-help"
      ref={dialog}
      aria-label="Keys and mouse"
      // Escape is told before the dialog closes, and its closing a task later: the next key may come between.
      onCancel={onClose}
      onClose={onClose}
    >
      <div class="ks-heading-line">
        <h2 class="ks-heading">Keys and mouse</h2>
        <IconButton icon="close" label="Close" shortcut="Esc" onClick={onClose} />
      </div>
      <dl class="ks-facts">
        {LINES.map(([key, what]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
