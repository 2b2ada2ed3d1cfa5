import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Column } from '../../data/compare/differences';
import { counted } from '../../lib/format';
import type { Result } from '../../state/compare/compare-model';
import { usePanels } from '../context';
import { aboutGene, SIGNIFICANT } from './gene-rows';

const HEIGHT = 184;
const [LEFT, TOP, RIGHT, BOTTOM] = [44, 8, 8, 30];
/** How near the pointer must be to a gene, in pixels. */
const NEAR = 10;
const RADIUS = 2;
const NAMED = 6;
/** Name of the vertical axis */
const UP = '−log₁₀ adjusted p';

interface Place {
  gene: number;
  x: number;
  y: number;
}

/** Returns a step of 1, 2 or 5 times a power of ten that fits into `most` at most four times. */
function tickStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return power * ([1, 2, 5, 10].find((step) => most / (power * step) <= 4) ?? 10);
}

/** Genes by effect (horizontal) and evidence (vertical). A click colors the tissue by the gene. */
export function Volcano(props: {
  result: Result;
  p: Column;
  labels: readonly [string, string];
  current: string | null;
}): JSX.Element {
  const { result, p, labels, current } = props;
  const { model, actions } = usePanels();
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSignal(0);
  const pointed = useSignal<Place | null>(null);
  const effect: Column = result.scale === null ? 'auc' : 'log2_fold_change';
  const axis = effect === 'auc' ? 'AUC' : 'log₂ fold change';
  const [middle, least] = effect === 'auc' ? ([0.5, 0.1] as const) : ([0, 1] as const);
  const { places, across, up } = useMemo(() => {
    const [xs, ys] = [result.columns[effect], result.columns[p]];
    const found: Place[] = [];
    let [across, up]: [number, number] = [least, 2];
    for (let gene = 0; gene < xs.length; gene++) {
      const [x, y] = [(xs[gene] ?? Number.NaN) - middle, -(ys[gene] ?? Number.NaN)];
      if (Number.isNaN(x) || Number.isNaN(y)) continue;
      found.push({ gene, x, y });
      if (y === Infinity) continue;
      up = Math.max(up, y);
    }
    // Ignore genes that one group lacks, whose ratios are huge: `sx` clamps them to the sides.
    const [inA, inB] = [result.columns.fraction_a, result.columns.fraction_b];
    for (const { gene, x } of found) if (inA[gene] && inB[gene]) across = Math.max(across, Math.abs(x));
    return { places: found, across: across * 1.05, up: up * 1.05 };
  }, [result, effect, middle, least, p]);
  const sx = (x: number) => {
    const half = (width.value - LEFT - RIGHT) / 2;
    return LEFT + half + (Math.max(-across, Math.min(across, x)) / across) * half;
  };
  const sy = (y: number) => HEIGHT - BOTTOM - (Math.min(up, y) / up) * (HEIGHT - TOP - BOTTOM);
  const isNotable = ({ x, y }: Place) => y >= -SIGNIFICANT && Math.abs(x) >= least;

  useEffect(() => {
    const element = canvas.current?.parentElement;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      width.value = element.clientWidth;
    });
    observer.observe(element);
    width.value = element.clientWidth;
    return () => observer.disconnect();
  }, [width]);

  const dark = model.dark.value;
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || width.value === 0) return;
    const ratio = devicePixelRatio || 1;
    element.width = Math.round(width.value * ratio);
    element.height = Math.round(HEIGHT * ratio);
    context.scale(ratio, ratio);
    context.clearRect(0, 0, width.value, HEIGHT);
    const style = getComputedStyle(element);
    const colorOf = (name: string) => style.getPropertyValue(name).trim();
    const [line, muted, ink, accent] = ['--line', '--muted', '--ink', '--accent'].map(colorOf) as [
      string,
      string,
      string,
      string,
    ];
    const text = (words: string, x: number, y: number, align: CanvasTextAlign) => {
      context.textAlign = align;
      context.fillText(words, x, y);
    };
    context.font = `11px ${style.fontFamily}`;
    context.textBaseline = 'middle';
    context.lineWidth = 1;
    context.strokeStyle = line;
    context.fillStyle = muted;
    const rule = (x0: number, y0: number, x1: number, y1: number) => {
      context.beginPath();
      context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
      context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
      context.stroke();
    };
    const stepY = tickStep(up);
    for (let y = 0; y <= up; y += stepY) {
      rule(LEFT, sy(y), width.value - RIGHT, sy(y));
      text(String(Number(y.toPrecision(3))), LEFT - 4, sy(y), 'right');
    }
    const stepX = tickStep(across);
    for (let at = -Math.floor(across / stepX); at <= across / stepX; at++) {
      const x = at * stepX;
      text(
        String(Number((x + middle).toPrecision(3))).replace('-', '−'),
        sx(x),
        HEIGHT - BOTTOM + 9,
        'center',
      );
    }
    rule(sx(0), TOP, sx(0), HEIGHT - BOTTOM);
    text(axis, sx(0), HEIGHT - 7, 'center');
    context.save();
    context.translate(7, (TOP + HEIGHT - BOTTOM) / 2);
    context.rotate(-Math.PI / 2);
    text(UP, 0, 0, 'center');
    context.restore();
    text('← B', LEFT, HEIGHT - 7, 'left');
    text('A →', width.value - RIGHT, HEIGHT - 7, 'right');
    // One path for all: filling each takes ten times as long.
    const dots = (some: readonly Place[], radius: number) => {
      context.beginPath();
      for (const { x, y } of some) {
        context.moveTo(sx(x) + radius, sy(y));
        context.arc(sx(x), sy(y), radius, 0, 2 * Math.PI);
      }
      context.fill();
    };
    context.globalAlpha = 0.55;
    dots(
      places.filter((place) => !isNotable(place)),
      RADIUS * 0.75,
    );
    context.fillStyle = accent;
    context.globalAlpha = 0.8;
    dots(places.filter(isNotable), RADIUS);
    context.globalAlpha = 1;
    context.fillStyle = ink;
    const ranked = places
      .filter(isNotable)
      .sort((a, b) => b.y - a.y)
      .slice(0, NAMED);
    const shown = places.find(({ gene }) => result.genes[gene] === current);
    if (shown) dots([shown], RADIUS * 2);
    const taken: [number, number][] = [];
    for (const place of shown ? [shown, ...ranked] : ranked) {
      const name = result.genes[place.gene] ?? '';
      const side = place.x < 0 ? 1 : -1;
      const wide = context.measureText(name).width;
      const [x, y] = [sx(place.x) + side * 6, Math.max(TOP, sy(place.y))];
      const from = side > 0 ? x : x - wide;
      if (from < LEFT || from + wide > width.value) continue;
      if (taken.some(([at, high]) => Math.abs(high - y) < 12 && Math.abs(at - from) < wide + 8)) continue;
      taken.push([from, y]);
      text(name, from, y, 'left');
    }
  }, [places, across, up, width.value, dark, current]);

  const nearest = (event: MouseEvent): Place | null => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return null;
    let best: Place | null = null;
    let least = NEAR ** 2;
    for (const place of places) {
      const apart =
        (sx(place.x) - event.clientX + box.left) ** 2 + (sy(place.y) - event.clientY + box.top) ** 2;
      if (apart < least) [best, least] = [place, apart];
    }
    return best;
  };
  const at = pointed.value;
  return (
    <div class="ks-volcano">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Volcano plot of ${counted(places.length, 'gene')}: ${axis} against ${UP}-value. The table lists the same genes.`}
        data-pointed={at ? 'true' : undefined}
        onPointerMove={(event) => {
          pointed.value = nearest(event);
        }}
        onPointerLeave={() => {
          pointed.value = null;
        }}
        onClick={(event) => {
          const gene = result.genes[nearest(event)?.gene ?? -1];
          if (gene !== undefined) actions.setColor({ kind: 'gene', gene });
        }}
      />
      {at && (
        <>
          <span class="ks-volcano-ring" style={{ left: `${sx(at.x)}px`, top: `${sy(at.y)}px` }} />
          <span
            class="ks-volcano-about ks-card"
            style={sx(at.x) > width.value / 2 ? { left: 0 } : { right: 0 }}
          >
            {aboutGene(result, at.gene, labels)}
          </span>
        </>
      )}
    </div>
  );
}
