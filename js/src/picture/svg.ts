import { cssColor } from '../lib/color';
import type { PictureLayout } from './layout';
import { FONT, HALO_WIDTH, type Mark, type MarkColor } from './marks';

// Characters that XML 1.0 forbids, including lone surrogates: a single one makes the file unreadable.
const UNFIT = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

export function escapeXml(text: string): string {
  return text.replace(UNFIT, '\u{FFFD}').replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');
}

/** Builds an element. Attribute values are escaped here and nowhere else. */
function element(
  name: string,
  attributes: Record<string, string | number | undefined>,
  content = '',
): string {
  const pairs = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(typeof value === 'number' ? number(value) : `${value}`)}"`);
  return `<${name}${pairs.join('')}${content ? `>${content}</${name}>` : '/>'}`;
}

/** Rounds to thousandths of a pixel. */
const number = (value: number) => String(Math.round(value * 1000) / 1000);

const fill = ({ color }: MarkColor) => ({ fill: cssColor(color) });
const stroke = ({ color }: MarkColor, width: number) => ({
  stroke: cssColor(color),
  'stroke-width': width,
});

/** Writes the layout as SVG. The tissue of each view is a raster image (a data URI); the rest is shapes and text. */
export function svgOf(layout: PictureLayout, name: string, tissues: readonly string[]): string {
  const { width, height } = layout;
  const marks = layout.marks.map((mark, index) => shapeOf(mark, `ramp-${index}`, tissues));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      // Older drawing programs support only `xlink:href` for images.
      'xmlns:xlink': 'http://www.w3.org/1999/xlink',
      width,
      height,
      viewBox: `0 0 ${number(width)} ${number(height)}`,
      'font-family': FONT,
    },
    ['', element('title', {}, escapeXml(name)), ...marks, ''].join('\n'),
  )}\n`;
}

function shapeOf(mark: Mark, id: string, tissues: readonly string[]): string {
  switch (mark.kind) {
    case 'tissue': {
      const { x, y, width, height } = mark;
      const picture = { preserveAspectRatio: 'none', 'xlink:href': tissues[mark.pane] };
      return element('image', { x, y, width, height, ...picture });
    }
    case 'text':
      return element(
        'text',
        {
          x: mark.x,
          y: mark.y,
          'font-size': mark.size,
          'font-weight': mark.weight,
          'text-anchor': mark.anchor === 'start' ? undefined : mark.anchor,
          ...fill(mark.fill),
          ...(mark.halo
            ? { ...stroke(mark.halo, HALO_WIDTH), 'stroke-linejoin': 'round', 'paint-order': 'stroke' }
            : {}),
        },
        escapeXml(mark.text),
      );
    case 'dot':
      return element('circle', { cx: mark.x, cy: mark.y, r: mark.radius, ...fill(mark.fill) });
    case 'line':
      return element('polyline', {
        points: mark.points.map(([x, y]) => `${number(x)},${number(y)}`).join(' '),
        fill: 'none',
        ...stroke(mark.paint, mark.width),
      });
    case 'ramp': {
      const { x, y, width, height, radius, colors } = mark;
      const stops = colors.map((color, index) =>
        element('stop', {
          offset: index / Math.max(1, colors.length - 1),
          'stop-color': cssColor(color),
        }),
      );
      return [
        element('linearGradient', { id }, stops.join('')),
        element('rect', { x, y, width, height, rx: radius, fill: `url(#${id})` }),
      ].join('\n');
    }
    case 'rect': {
      const { x, y, width, height, radius } = mark;
      const line = mark.line ? stroke(mark.line, 1) : {};
      return element('rect', { x, y, width, height, rx: radius, ...fill(mark.fill), ...line });
    }
  }
}
