import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import type { Extent } from '../../lib/camera';
import type { Actions } from '../../state/actions';

/** Cards that are always there. The others come and go, which must not move the cells. */
const CARDS = '.ks-top > *, .ks-tools, .ks-zoom, .ks-scale, .ks-axes';
/** Room for the widest scale bar, in CSS pixels: a change of its width must not change the scale again. */
const BAR = 142;

/** Measures what the cards of a view cover, after each render and whenever their size changes. */
export function useCards(view: RefObject<HTMLElement | null>, { resize }: Pick<Actions, 'resize'>): void {
  useLayoutEffect(() => {
    const around = view.current as HTMLElement;
    const shown = [...around.querySelectorAll(CARDS)];
    const measure = () => {
      const { x, y } = around.getBoundingClientRect();
      const cards = shown.flatMap((card): Extent[] => {
        const { left, top, right, bottom } = card.getBoundingClientRect();
        const end = card.matches('.ks-scale') ? left + BAR : right;
        return right > left ? [[left - x, top - y, end - x, bottom - y]] : [];
      });
      resize({ cards });
    };
    measure();
    // Wait for the next frame: resizing observed elements while their sizes are reported is an error.
    let frame = 0;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(measure);
    });
    for (const card of shown) observer.observe(card);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
    };
  });
}
