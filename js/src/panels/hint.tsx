import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { usePanels } from './context';

const SHOWN_MS = 4000;

/** A short notice, such as why a key did nothing. It disappears by itself. */
export function Hint(): JSX.Element {
  const { model, actions } = usePanels();
  const hint = model.hint.value;
  useEffect(() => {
    if (!hint) return;
    const timer = setTimeout(() => actions.hint(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [hint, actions]);
  // Always present: screen readers announce changes of an existing element.
  return (
    <div class="ks-hint" role="status">
      {hint && <span class="ks-card">{hint.text}</span>}
    </div>
  );
}
