import { announce, type Manager, retract } from '../widget/alive';
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
    const id = String(model.get('_id'));
    const manager = model.widget_manager as Partial<Manager> | undefined;
    if (!manager?.create_view) return;
    announce(id, manager as Manager);
    model.on('destroy', () => retract(id));
  },
  async render({ model, el }: Render): Promise<(() => void) | undefined> {
    const kind = model.get('_kind');
    if (kind === 'view') return renderView(model, el);
    if (kind === 'form') return renderForm(model, el);
    return undefined;
  },
};
