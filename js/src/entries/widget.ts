import { createBox } from '../widget/box';
import { renderForm, styled } from '../widget/form/form';
import { type Model, modelOf } from '../widget/model';

interface Render {
  model: Model;
  el: HTMLElement;
}

async function renderView(model: Model, element: HTMLElement): Promise<() => void> {
  const channel = await modelOf(model, model.get('_channel'));
  const { root, dispose } = styled(element);
  const box = createBox(model, channel);
  root.append(box.element);
  return () => {
    box.dispose();
    dispose();
  };
}

/** The module of all widgets: a notebook asks for its default export. */
export default {
  initialize({ model }: { model: Model }): void {
    // The first message makes the kernel answer this comm beside the cells, where it can.
    if (model.get('_kind') === 'channel') model.send({ type: 'hello' });
  },
  async render({ model, el }: Render): Promise<(() => void) | undefined> {
    const kind = model.get('_kind');
    if (kind === 'view') return renderView(model, el);
    if (kind === 'form') return renderForm(model, el);
    return undefined;
  },
};
