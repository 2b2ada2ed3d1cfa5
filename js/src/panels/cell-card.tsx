import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { neighborsOf } from '../data/neighbors';
import { project } from '../lib/camera';
import { formatCategory, formatCount } from '../lib/format';
import { ZERO } from '../lib/origin';
import { placeText } from '../lib/scale-bar';
import { membersOf } from '../state/color/groups';
import { annotationsOf, cellName, genesOf } from './cell-values';
import { usePanels } from './context';
import { IconButton } from './icons';

/** CSS pixels */
const WIDTH = 304;
const AWAY = 14;
const EDGE = 8;

/** The card of the pinned cell, next to the cell in the view where it was pinned. */
export function CellCard({ inSecondView = false }: { inSecondView?: boolean }): JSX.Element | null {
  const { model } = usePanels();
  const pinned = model.pinned.value;
  if (!pinned || (pinned.inSecondView ?? false) !== inSecondView) return null;
  return <Card key={pinned.cell} cell={pinned.cell} focus={pinned.byKey ?? false} />;
}

function Card({ cell, focus }: { cell: number; focus: boolean }): JSX.Element | null {
  const { model, actions } = usePanels();
  const card = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    if (!focus) return;
    const before = document.activeElement;
    card.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, [focus]);
  const view = model.view.value;
  const coords = model.positions.value?.coords;
  if (!view || !coords) return null;
  const [x, y] = project(view, coords[2 * cell] ?? Number.NaN, coords[2 * cell + 1] ?? Number.NaN);
  // In another section, or without coordinates in this embedding.
  if (!Number.isFinite(x)) return null;
  const name = cellName(model, cell);
  return (
    <section
      class="ks-card ks-cell-card"
      ref={card}
      tabIndex={-1}
      aria-label={`${model.noun.value} ${name}`}
      style={placeOf(x, y, view)}
    >
      <div class="ks-heading-line">
        <strong class="ks-break">{name}</strong>
        <CopyName name={name} />
        <IconButton icon="close" label="Close card" shortcut="Esc" onClick={() => actions.pin(null)} />
      </div>
      <dl class="ks-cell-values">
        <Values cell={cell} />
      </dl>
      <CellActions cell={cell} />
    </section>
  );
}

/** Places the card to the right or left of its cell; where both are too narrow, below or above it. */
function placeOf(x: number, y: number, view: { width: number; height: number }): Record<string, string> {
  const width = Math.min(WIDTH, view.width - 2 * EDGE);
  const fitsRight = x + AWAY + width <= view.width - EDGE;
  const fitsLeft = x - AWAY - width >= EDGE;
  const left = fitsRight ? x + AWAY : fitsLeft ? x - AWAY - width : x - width / 2;
  const within = Math.min(Math.max(EDGE, left), view.width - EDGE - width);
  const upper = y < view.height / 2;
  const from = (upper ? y : view.height - y) + (fitsRight || fitsLeft ? -AWAY : AWAY);
  const gap = Math.min(Math.max(EDGE, from), view.height - EDGE);
  return {
    left: `${within}px`,
    width: `${width}px`,
    [upper ? 'top' : 'bottom']: `${gap}px`,
    maxHeight: `${view.height - gap - EDGE}px`,
  };
}

function CopyName({ name }: { name: string }): JSX.Element {
  const { actions } = usePanels();
  return (
    <IconButton
      icon="copy"
      label="Copy ID"
      onClick={() => {
        // Absent on pages without HTTPS.
        const copied = navigator.clipboard?.writeText(name) ?? Promise.reject(new Error());
        copied.then(
          () => actions.hint('ID copied'),
          () => actions.hint('The browser does not allow this page to copy. Select the ID and copy it.'),
        );
      }}
    />
  );
}

function Values({ cell }: { cell: number }): JSX.Element {
  const { model, actions } = usePanels();
  const { color } = model.layer.value;
  return (
    <>
      {[...genesOf(model, cell), ...annotationsOf(model, cell)].map(({ key, name, value, column }) => (
        <div key={key}>
          <dt>
            {column === null || (color.kind === 'annotation' && color.column === column) ? (
              name
            ) : (
              <button
                type="button"
                title={`Color by ${name}`}
                onClick={() => actions.setColor({ kind: 'annotation', column })}
              >
                {name}
              </button>
            )}
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
      <Place cell={cell} />
      <Neighbors cell={cell} />
    </>
  );
}

/** The coordinates in the tissue, in µm if the unit is known. */
function Place({ cell }: { cell: number }): JSX.Element | null {
  const { model } = usePanels();
  const tissue = model.tissue.value;
  if (!tissue) return null;
  const um = model.state.value.umPerUnit ?? tissue.unitUm;
  const origin = tissue.origin ?? ZERO;
  const [x, y] = [0, 1].map((axis) =>
    placeText(((tissue.coords[2 * cell + axis] ?? Number.NaN) + (origin[axis] ?? 0)) * (um ?? 1), 0.1),
  );
  return (
    <div>
      <dt>{um === null ? 'x, y' : 'x, y (µm)'}</dt>
      <dd>
        {x}, {y}
      </dd>
    </div>
  );
}

/** Shows the number of neighbors and their categories while neighbors are shown. */
function Neighbors({ cell }: { cell: number }): JSX.Element | null {
  const { model } = usePanels();
  const graph = model.graph.value;
  if (!graph) return null;
  const near = neighborsOf(graph, cell);
  const layer = model.layer.value;
  const column = layer.kind === 'category' ? layer.column : model.group.value;
  const counts = new Map<string, number>();
  for (const other of column ? near : []) {
    const name = formatCategory(column?.categories[column.codes[other] ?? -1]?.name ?? null);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const named = [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`);
  return (
    <div>
      <dt>Neighbors</dt>
      <dd>{[formatCount(near.length), ...named].join(' · ')}</dd>
    </div>
  );
}

function CellActions({ cell }: { cell: number }): JSX.Element | null {
  const { model, actions } = usePanels();
  const layer = model.layer.value;
  if (layer.kind !== 'category') return null;
  const { column } = layer;
  const code = column.codes[cell] ?? column.categories.length;
  const category = column.categories[code];
  const name = category?.name ?? null;
  const names = category ? membersOf(category) : [null];
  const what = name === null ? `the ${model.noun.value}s without a value` : `“${formatCategory(name)}”`;
  return (
    <div class="ks-pills">
      <button
        type="button"
        class="ks-pill ks-strong"
        title={`Select ${what}; with Shift, add to the selection`}
        onClick={(event) =>
          actions.selectWhere((other) => column.codes[other] === code, event.shiftKey ? 'add' : 'replace')
        }
      >
        Select category
      </button>
      <button
        type="button"
        class="ks-pill"
        title="Dim all other categories; again to show them"
        onClick={() => actions.isolateCategories(column.name, names)}
      >
        Isolate
      </button>
      <button
        type="button"
        class="ks-pill"
        title={`Hide ${what}`}
        onClick={() => {
          actions.toggleCategories(column.name, names);
          actions.pin(null);
        }}
      >
        Hide
      </button>
    </div>
  );
}
