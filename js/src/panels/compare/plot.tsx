import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { asError } from '../../lib/errors';
import { fileName } from '../../picture/file-name';
import { HeadingButton } from '../buttons';
import { usePanels } from '../context';

export const FONT = 12;
export const FAMILY = 'system-ui, sans-serif';
/** A saved plot may be shown in a wider font than the one that was measured. */
const MARGIN = 1.08;
const PNG_SCALE = 3;

/** Buttons that save a plot; `problem` receives why that failed. */
export function SaveButtons(props: {
  what: string;
  /** Of the file. */
  name: string;
  plot: { readonly current: SVGSVGElement | null };
  problem: Signal<string | null>;
}): JSX.Element {
  const { what, name, plot, problem } = props;
  const { model, download } = usePanels();
  const save = async (ending: 'svg' | 'png') => {
    if (!plot.current) return;
    const file = new Blob([standalone(plot.current)], { type: 'image/svg+xml' });
    try {
      download(ending === 'svg' ? file : await pngOf(file), fileName(model.title.value, name, ending));
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

/** Returns the width of a text in a plot. */
export function widthOf(text: string): number {
  ruler ??= document.createElement('canvas').getContext('2d');
  if (!ruler) return text.length * FONT;
  ruler.font = `${FONT}px ${FAMILY}`;
  return ruler.measureText(text).width * MARGIN;
}

/** Shortens a text that is too wide; it then ends with “…”. */
export function fitted(text: string, most: number): string {
  let short = text;
  while (short.length > 1 && widthOf(short) > most) short = `${short.replace(/…$/, '').slice(0, -1)}…`;
  return short;
}

/** The plot as a file of its own, with the colors of the theme. */
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
    if (!png) throw new Error('The browser cannot draw a picture of this size. Save it as SVG.');
    return png;
  } finally {
    URL.revokeObjectURL(url);
  }
}
