import { Disposer } from '../lib/disposer';
import { hashOf, viewOfHash } from '../state/save/saved-view';
import type { Viewer } from './viewer-api';

const AFTER_MS = 400;

/** Syncs the view and the hash of the page's address in both directions; returns a function that stops it. */
export function followAddress(viewer: Viewer): () => void {
  const disposer = new Disposer();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let written = location.hash;
  let initial = '';
  const write = async () => {
    const view = viewer.getView({ link: true });
    // The address stays as opened until the view first changes.
    if (initial !== '' && JSON.stringify(view) === initial) return;
    initial = '';
    const { hash } = await hashOf(view);
    if (hash === written || disposer.disposed) return;
    written = hash;
    history.replaceState(history.state, '', hash);
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void write().catch(() => {}), AFTER_MS);
  };
  disposer.add(() => clearTimeout(timer));
  let following = false;
  disposer.add(
    viewer.on('ready', () => {
      if (following) return;
      following = true;
      initial = JSON.stringify(viewer.getView({ link: true }));
      disposer.add(viewer.on('state', later));
      disposer.add(viewer.on('regions', later));
    }),
  );
  disposer.listen(window, 'hashchange', async () => {
    if (location.hash === written) return;
    written = location.hash;
    const view = await viewOfHash(location.hash);
    if (view && !disposer.disposed) await viewer.setView(view).catch(() => {});
  });
  return () => disposer.dispose();
}
