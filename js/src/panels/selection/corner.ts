import type { Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { type Extent, project, type View } from '../../lib/camera';
import { selectedIn } from '../../state/color/scope';
import type { Selection } from '../../state/selection/selection';
import { usePanels } from '../context';

/** Where the card of the selection is: at the lower left or the upper right, where there are no other cards. */
export type Side = 'left' | 'right';

export interface Corner {
  readonly side: Signal<Side>;
  readonly folded: Signal<boolean>;
  /** The selection for which the side was chosen. */
  readonly placed: { current: Selection | null };
}

/** Counts the cells of the mask inside each box of the window, in CSS pixels. */
export function countCovered(
  boxes: readonly Extent[],
  { mask }: Pick<Selection, 'mask'>,
  coords: Float32Array,
  view: View,
): number[] {
  const counts = boxes.map(() => 0);
  for (let cell = 0; cell < mask.length; cell++) {
    if (!mask[cell]) continue;
    const [x, y] = project(view, coords[2 * cell] ?? Number.NaN, coords[2 * cell + 1] ?? Number.NaN);
    boxes.forEach(([x0, y0, x1, y1], i) => {
      if (x >= x0 && x <= x1 && y >= y0 && y <= y1) counts[i] = (counts[i] ?? 0) + 1;
    });
  }
  return counts;
}

/** Keeps the place of the card. Without a selection, it returns to the lower left. */
export function useCorner(): Corner {
  const { model } = usePanels();
  const side = useSignal<Side>('left');
  const folded = useSignal(false);
  const placed = useRef<Selection | null>(null);
  const none = model.selection.value === null;
  useLayoutEffect(() => {
    if (!none) return;
    side.value = 'left';
    placed.current = null;
  }, [none, side]);
  return { side, folded, placed };
}

/** Moves the card once for each selection, to where it covers the fewest selected cells. */
export function useFreeCorner(
  card: RefObject<HTMLElement | null>,
  { side, placed }: Corner,
  selection: Selection,
): void {
  const { model } = usePanels();
  useLayoutEffect(() => {
    const view = model.view.peek();
    const coords = model.positions.peek()?.coords;
    const shown = card.current;
    const row = shown?.closest('.ks-stage')?.querySelector('.ks-left');
    const right = shown?.closest('.ks-cards');
    // A card that is being used stays where it is.
    const used = shown?.contains(document.activeElement);
    if (placed.current === selection || !view || !coords || !shown || !row || !right) return;
    placed.current = selection;
    const here = selectedIn(selection, model.shown.peek());
    if (used || !here) return;
    const stage = right.parentElement?.getBoundingClientRect() ?? new DOMRect();
    const { width, height } = shown.getBoundingClientRect();
    const { left, top, bottom } = row.getBoundingClientRect();
    const end = right.getBoundingClientRect().right;
    const [x, y] = [stage.x, stage.y];
    const boxes: Record<Side, Extent> = {
      left: [left - x, bottom - height - y, left + width - x, bottom - y],
      right: [end - width - x, top - y, end - x, top + height - y],
    };
    const [atLeft = 0, atRight = 0] = countCovered([boxes.left, boxes.right], here, coords, view);
    if (atLeft !== atRight) side.value = atLeft < atRight ? 'left' : 'right';
  }, [model, card, side, placed, selection]);
}
