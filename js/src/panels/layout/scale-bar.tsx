import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { axesPath } from '../../lib/axes';
import { formatValue } from '../../lib/format';
import { ZERO } from '../../lib/origin';
import { type ScaleBar as Bar, placeText, scaleBar } from '../../lib/scale-bar';
import { embeddingLabel } from '../../state/layout/layout';
import { usePanels, useView } from '../context';

/** The coordinates under the pointer. Not shown for sections side by side, which are moved from their coordinates. */
export function Pointer(): JSX.Element | null {
  const { model } = usePanels();
  const place = model.pointer.value;
  const view = model.view.value;
  const positions = model.positions.value;
  if (!place || !view || !positions || model.state.value.layout.kind === 'sections') return null;
  const unit = model.unitUm.value ?? 1;
  const origin = positions.origin ?? ZERO;
  const [x, y] = [place[0] + origin[0], place[1] + origin[1]].map((value) =>
    placeText(value * unit, unit / view.scale),
  );
  return (
    <div class="ks-card ks-pointer" aria-hidden="true">
      {x}, {y}
      {model.unitUm.value !== null && ' µm'}
    </div>
  );
}

/** Labels the two axes of an embedding, which has no unit of length. */
function Axes({ of }: { of: string }): JSX.Element {
  return (
    <div class="ks-card ks-axes">
      <span class="ks-clip">{of} 2</span>
      <svg viewBox="0 0 30 30" width="30" height="30" aria-hidden="true">
        <path d={axesPath(0, 30)} />
      </svg>
      <span class="ks-clip">{of} 1</span>
    </div>
  );
}

function BarOf({ bar }: { bar: Bar }): JSX.Element {
  return (
    <>
      <span>{bar.label}</span>
      <div class="ks-scale-bar" style={{ width: `${bar.width}px` }} />
    </>
  );
}

/** The scale bar of the tissue, or the axes of an embedding. A click on the bar edits the scale, unless it is `fixed`. */
export function ScaleBar({ fixed = false }: { fixed?: boolean }): JSX.Element | null {
  const { model } = usePanels();
  const editing = useSignal(false);
  const closed = useRef(false);
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (closed.current && !editing.value) button.current?.focus();
    closed.current = editing.value;
  }, [editing.value]);
  const view = model.view.value;
  const embedding = embeddingLabel(model.state.value.layout, model.bundle.value?.manifest ?? null);
  if (embedding !== null) return <Axes of={embedding} />;
  const bar = view && scaleBar(view.scale, model.unitUm.value);
  if (!bar) return null;
  if (fixed)
    return (
      <div class="ks-card ks-scale">
        <BarOf bar={bar} />
      </div>
    );
  if (editing.value)
    return (
      <Editor
        bar={bar}
        onClose={() => {
          editing.value = false;
        }}
      />
    );
  return (
    <button
      type="button"
      class="ks-card ks-scale"
      ref={button}
      aria-label={`Scale bar: ${bar.label}. Edit the scale`}
      title="Edit the scale"
      onClick={() => {
        editing.value = true;
      }}
    >
      <BarOf bar={bar} />
    </button>
  );
}

/** At most six digits: a scale that was derived from distances has many more, which mean nothing. */
const shownScale = (um: number | null) => (um === null ? '' : String(Number(um.toPrecision(6))));

/** Sets the length of a coordinate unit. The bar follows each valid number that is typed. */
function Editor({ bar, onClose }: { bar: Bar; onClose: () => void }): JSX.Element {
  const { model, actions } = usePanels();
  const changed = useView('umPerUnit');
  const stated = model.tissue.value?.unitUm ?? null;
  const before = useRef(changed);
  const problem = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.select(), []);
  return (
    <form
      class="ks-card ks-scale-editor"
      aria-label="Scale"
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem.value) onClose();
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key !== 'Escape') return;
        actions.setUmPerUnit(before.current);
        onClose();
      }}
    >
      <div class="ks-scale-preview">
        <BarOf bar={bar} />
      </div>
      <label>
        1 unit =
        <input
          ref={input}
          type="number"
          step="any"
          aria-label="Micrometers per coordinate unit"
          aria-invalid={problem.value}
          value={shownScale(before.current ?? stated)}
          onInput={(event) => {
            const um = event.currentTarget.valueAsNumber;
            problem.value = !(um > 0);
            if (um > 0) actions.setUmPerUnit(um === stated ? null : um);
          }}
        />
        µm
      </label>
      <div class="ks-pills">
        <button type="submit" class="ks-pill ks-strong" disabled={problem.value}>
          Done
        </button>
        {changed !== null && (
          <button
            type="button"
            class="ks-pill"
            onClick={() => {
              actions.setUmPerUnit(null);
              onClose();
            }}
          >
            {stated === null ? 'Reset: unit unknown' : `Reset: ${formatValue(stated)} µm`}
          </button>
        )}
      </div>
      {problem.value && (
        <p class="ks-note ks-warning" role="alert">
          Enter a number greater than 0.
        </p>
      )}
    </form>
  );
}
