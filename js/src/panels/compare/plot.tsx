import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { asError } from '../../lib/errors';
import { fileName } from '../../picture/file-name';
import { HeadingButton } from '../buttons';
import { usePanels } from '../context';

/** Size of the text, in pixels. */
export const FONT = 12;
export const FAMILY = 'system-ui, sans-serif';
/** Factor for the width of text: a saved plot may be shown in a wider font than the one that was measured. */
const MARGIN = 1.08;
const PNG_SCALE = 3;

/** Buttons that save a plot; `problem` receives the error message. */
export function SaveButtons(props: {
  /** Noun for the plot in the tooltips. */
  what: string;
  /** Name of the file, without the title and the extension. */
  name: string;
  plot: { readonly current: SVGSVGElement | null };
  problem: Signal<string | null>;
}): JSX.Element {
  const { what, name, plot, problem } = props;
  const { model, download } = usePanels();
  const save = async (extension: 'svg' | 'png') => {
    if (!plot.current) return;
    const file = new Blob([standalone(plot.current)], { type: 'image/svg+xml' });
    try {
      download(extension === 'svg' ? file : await pngOf(file), fileName(model.title.value, name, extension));
    } catch (thrown) {
      problem.value = asError(thrown).message;
    }
  };
  return (
    <>
      <HeadingButton title={`Save the ${what} as SVG`} onClick={() => void save('svg')}>
        SVG
      </HeadingButton>
      <HeadingButton title={`Save the ${what} as PNG`} onClick={() => void save('png')}>
        PNG
      </HeadingButton>
    </>
  );
}

let ruler: CanvasRenderingContext2D | null = null;

/** Returns the width of a text in a plot, in pixels. */
export function widthOf(text: string): number {
  ruler ??= document.createElement('canvas').getContext('2d');
  if (!ruler) return text.length * FONT;
  ruler.font = `${FONT}px ${FAMILY}`;
  return ruler.measureText(text).width * MARGIN;
}

/** Cuts the middle of a text that is too wide: names may differ only at the beginning or only at the end. */
export function fitted(text: string, maxWidth: number): string {
  if (widthOf(text) <= maxWidth) return text;
  const letters = Array.from(text);
  const kept = (count: number) => {
    const head = Math.ceil(count / 2);
    const end = letters.slice(letters.length - (count - head)).join('');
    return `${letters.slice(0, head).join('').trimEnd()}…${end.trimStart()}`;
  };
  let [fits, beyond] = [2, letters.length];
  while (beyond - fits > 1) {
    const middle = (fits + beyond) >> 1;
    if (widthOf(kept(middle)) <= maxWidth) fits = middle;
    else beyond = middle;
  }
  return kept(fits);
}

/**
 * Moves the focus to a card if it covers the control that opened it, as in small windows, and back when the card
 * closes.
 */
export function useCardFocus(card: { readonly current: HTMLElement | null }): void {
  useLayoutEffect(() => {
    const opener = document.activeElement;
    if (!(opener instanceof HTMLElement) || opener.getClientRects().length > 0) return;
    card.current?.focus();
    return () => queueMicrotask(() => opener.focus());
  }, [card]);
}

/** Returns the plot as a self-contained SVG file, with the colors of the theme. */
function standalone(plot: SVGSVGElement): string {
  const style = getComputedStyle(plot);
  const copy = plot.cloneNode(true) as SVGSVGElement;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('style', 'background: var(--panel)');
  return new XMLSerializer()
    .serializeToString(copy)
    .replaceAll(/var\((--\w+)\)/g, (_, name) => style.getPropertyValue(name).trim())
    .replaceAll(/ (role|tabindex|aria-label)="[^"]*"/g, '');
}

async function pngOf(svg: Blob): Promise<Blob> {
  const url = URL.createObjectURL(svg);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.width * PNG_SCALE;
    canvas.height = image.height * PNG_SCALE;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const png = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
    if (!png) throw new Error('The browser cannot draw an image of this size. Save the plot as SVG.');
    return png;
  } finally {
    URL.revokeObjectURL(url);
  }
}
