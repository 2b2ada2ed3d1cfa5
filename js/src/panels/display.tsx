import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { labeledColumn } from '../picture/labels';
import { POINT_SIZE } from '../state/view-state';
import { HeadingButton } from './buttons';
import { usePanels, useView } from './context';
import { ImageAdjustments, ImageOpacity } from './image/image-controls';
import { Notices } from './notice';
import { percent, Slider } from './slider';

/** Logarithmic: half the natural size is as far from the middle as twice the size. */
const SPAN = { min: Math.log2(POINT_SIZE.min), max: Math.log2(POINT_SIZE.max) };

/** Shows or hides the names of the categories on the cells; renders nothing if there are no categories. */
function LabelSwitch(): JSX.Element | null {
  const { model, actions } = usePanels();
  const labels = useView('labels');
  const column = labeledColumn(model);
  if (!column) return null;
  return (
    <label
      class="ks-check ks-labels-switch"
      title={`Show the categories of ${column.name} as labels on the ${model.noun.value}s (N)`}
    >
      <input type="checkbox" checked={labels} onChange={() => actions.setLabels(!labels)} />
      Labels
    </label>
  );
}

/** Shows or hides neighbors; renders nothing if the bundle has no neighbors. */
function NeighborsSwitch(): JSX.Element | null {
  const { model, actions } = usePanels();
  const neighbors = useView('neighbors');
  if (!model.bundle.value?.hasNeighbors) return null;
  const noun = model.noun.value;
  return (
    <>
      <label
        class="ks-check ks-labels-switch"
        title={`Draw lines between neighboring ${noun}s when zoomed in, and mark the neighbors of the ${noun} under the pointer`}
      >
        <input
          type="checkbox"
          checked={neighbors}
          onChange={(event) => actions.setNeighbors(event.currentTarget.checked)}
        />
        Neighbors
      </label>
      {neighbors && model.edgesOmitted.value && <p class="ks-note">Zoom in to see neighbors.</p>}
    </>
  );
}

export function Display(): JSX.Element {
  const { model, actions } = usePanels();
  const { pointSize, opacity } = model.state.value;
  const adjusting = useSignal(false);
  const hasImage = model.bundle.value?.hasImage ?? false;
  return (
    <section class="ks-section ks-display">
      <div class="ks-heading-line">
        <h2 class="ks-heading">Display</h2>
        {hasImage && (
          <HeadingButton
            title="Adjust the brightness and contrast of the image"
            expanded={adjusting.value}
            onClick={() => {
              adjusting.value = !adjusting.value;
            }}
          >
            Adjust
          </HeadingButton>
        )}
      </div>
      <Slider
        label="Spot size"
        value={Math.log2(pointSize)}
        {...SPAN}
        step={0.01}
        shown={`${pointSize.toFixed(1)}×`}
        onInput={(power) => actions.setPointSize(2 ** power)}
      />
      <Slider
        label="Opacity"
        value={opacity}
        min={0.05}
        max={1}
        step={0.01}
        shown={percent(opacity)}
        onInput={(value) => actions.setOpacity(value)}
      />
      {hasImage && <ImageOpacity />}
      <LabelSwitch />
      <NeighborsSwitch />
      {hasImage && adjusting.value && <ImageAdjustments />}
      <Notices />
    </section>
  );
}
