import { answerQuestions, type WorkerScope } from '../data/compare/engines';
import { startPage } from './page';

/** Returns a function that starts workers with the text of a script: `file://` forbids workers from files. */
function workersOf(script: string | null | undefined): () => Worker | null {
  let url: string | null = null;
  return () => {
    if (!script) return null;
    url ??= URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    return new Worker(url);
  };
}

// The page's script is also that of its workers, so that the page carries it once.
if (typeof document === 'undefined') answerQuestions(self as unknown as WorkerScope);
else startPage(workersOf(document.currentScript?.textContent));
