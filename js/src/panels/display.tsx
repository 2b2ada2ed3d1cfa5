import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';
import { FACTOR, INITIAL, POINT_SIZE } from '../state/view-state';
import { HeadingButton } from './buttons';
import { usePanels } from './context';
import { Icon } from './icons';
import { Notices } from './notice';

function Slider(props: {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  shown: string;
  /** The setting has no visible effect now. */
  off?: boolean;
  onInput: (value: number) => void;
}): JSX.Element {
  const { label, value, min, max, step, shown, off, onInput } = props;
  const share = ((value - min) / (max - min)) * 100;
  return (
    <label class={`ks-slider${off ? ' ks-off' : ''}`}>
      <span>{label}</span>
      <input
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={shown}
        style={{ '--share': `${share}%` }}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
      />
      <output>{shown}</output>
    </label>
  );
}

/** Logarithmic: half the natural size is as far from the middle as twice the size. */
const SPAN = { min: Math.log2(POINT_SIZE.min), max: Math.log2(POINT_SIZE.max) };

const FACTORS = { min: Math.log2(FACTOR.min), max: Math.log2(FACTOR.max) };

/** Toggles the image. Opacity 0 counts as off and is reset to the default, so that switching on has an effect. */
export function toggleImage(model: Model, actions: Actions): void {
  if (!model.bundle.value?.hasImage) return;
  const { imageOn, imageOpacity } = model.state.value;
  const seen = imageOn && imageOpacity > 0;
  actions.setImage(!seen, imageOpacity || INITIAL.imageOpacity);
}

export function Display(): JSX.Element {
  const { model, actions } = usePanels();
  const { pointSize, opacity, imageOn, imageOpacity, imageBrightness, imageContrast } = model.state.value;
  const adjusting = useSignal(false);
  const hasImage = model.bundle.value?.hasImage ?? false;
  const percent = (share: number) => `${Math.round(share * 100)} %`;
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
      {hasImage && (
        <div class="ks-image-line">
          <Slider
            label="Image"
            value={imageOpacity}
            min={0}
            max={1}
            step={0.01}
            shown={percent(imageOpacity)}
            off={!imageOn}
            onInput={(value) => actions.setImage(true, value)}
          />
          <button
            type="button"
            class="ks-eye"
            aria-label="Image"
            aria-pressed={imageOn}
            title={`${imageOn ? 'Hide' : 'Show'} image (I)`}
            onClick={() => toggleImage(model, actions)}
          >
            <Icon name={imageOn ? 'eye' : 'hidden'} size={16} />
          </button>
        </div>
      )}
      {hasImage && adjusting.value && (
        <>
          <Slider
            label="Brightness"
            value={Math.log2(imageBrightness)}
            {...FACTORS}
            step={0.01}
            shown={percent(imageBrightness)}
            onInput={(power) => actions.adjustImage({ imageBrightness: 2 ** power })}
          />
          <Slider
            label="Contrast"
            value={Math.log2(imageContrast)}
            {...FACTORS}
            step={0.01}
            shown={percent(imageContrast)}
            onInput={(power) => actions.adjustImage({ imageContrast: 2 ** power })}
          />
        </>
      )}
      <Notices />
    </section>
  );
}
