import { createBox } from '../widget/box';
import { renderForm, styled } from '../widget/form/export-form';
import { channelOf, type Model } from '../widget/model';

interface Render {
  model: Model;
  el: HTMLElement;
}

async function renderView(model: Model, element: HTMLElement): Promise<() => void> {
  const channel = await channelOf(model, element);
  if (!channel) return () => {};
  const { root, dispose } = styled(element);
  const box = createBox(model, channel);
  root.append(box.element);
  return () => {
    box.dispose();
    dispose();
  };
}

/** The anywidget module of all widgets, whose default export the notebook loads. */
export default {
  initialize({ model }: { model: Model }): void {
    // Sent even if the widget is never displayed: the kernel waits for it before closing the comm.
    model.send({ type: 'here' });
  },
  async render({ model, el }: Render): Promise<(() => void) | undefined> {
    const kind = model.get('_kind');
    if (kind === 'view') return renderView(model, el);
    if (kind === 'form') return renderForm(model, el);
    return undefined;
  },
};
