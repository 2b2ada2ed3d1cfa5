import type { JSX } from 'preact';
import { FACTOR } from '../../state/view-state';
import { usePanels } from '../context';
import { Icon } from '../icons';
import { percent, Slider } from '../slider';

/** Opacity of the image, and a button that hides it. */
export function ImageOpacity(): JSX.Element {
  const { model, actions } = usePanels();
  const { imageOn, imageOpacity } = model.state.value;
  return (
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
        onClick={actions.toggleImage}
      >
        <Icon name={imageOn ? 'eye' : 'hidden'} size={16} />
      </button>
    </div>
  );
}

/** Range of the sliders in powers of 2: half as bright is as far from the middle as twice as bright. */
const POWERS = { min: Math.log2(FACTOR.min), max: Math.log2(FACTOR.max) };

/** Brightness and contrast of the image. */
export function ImageAdjustments(): JSX.Element {
  const { model, actions } = usePanels();
  const { imageBrightness, imageContrast } = model.state.value;
  return (
    <>
      <Slider
        label="Brightness"
        value={Math.log2(imageBrightness)}
        {...POWERS}
        step={0.01}
        shown={percent(imageBrightness)}
        onInput={(power) => actions.adjustImage({ imageBrightness: 2 ** power })}
      />
      <Slider
        label="Contrast"
        value={Math.log2(imageContrast)}
        {...POWERS}
        step={0.01}
        shown={percent(imageContrast)}
        onInput={(power) => actions.adjustImage({ imageContrast: 2 ** power })}
      />
    </>
  );
}
