import { expect, test, vi } from 'vitest';
import { openedModel } from '../state/model-fixture';
import { imageSettled } from './pictures';

/** Starts to wait for the image of a model. `ended` is called when the wait ends. */
async function waiting() {
  const { model } = await openedModel();
  const bundle = model.bundle.value;
  if (!bundle) throw new Error('The fixture did not open.');
  model.bundle.value = { ...bundle, hasImage: true };
  const closed = new AbortController();
  const ended = vi.fn();
  const settled = imageSettled(model, closed.signal);
  settled.then(ended, ended);
  return { model, closed, settled, ended };
}

test('a picture waits for its image even if other parts failed to load', async () => {
  const { model, settled, ended } = await waiting();
  model.notices.value = [new Error('The IDs could not be read.')];
  await Promise.resolve();
  expect(ended).not.toHaveBeenCalled();
  // Reading the image has ended, here without success: stop waiting.
  model.imageRead.value = true;
  await settled;
});

test('a waiting picture is rejected when the viewer is closed', async () => {
  const { closed, settled } = await waiting();
  closed.abort(new DOMException('The viewer was closed.', 'AbortError'));
  await expect(settled).rejects.toThrow('closed');
  const { model } = await openedModel();
  await expect(imageSettled(model, closed.signal)).rejects.toThrow('closed');
});
