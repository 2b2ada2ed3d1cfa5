import { PageConfig } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import { candidates, inFolder, type Written } from './exports';

/** Finds the folder of a bundle on the Jupyter server; returns null if it is not accessible there. */
export async function findFolder(
  contents: Contents.IManager,
  written: Written,
  sessionPath: string,
): Promise<string | null> {
  for (const folder of candidates(PageConfig.getOption('serverRoot'), written, sessionPath)) {
    try {
      const { content } = await contents.get(inFolder(folder, 'manifest.json'), {
        type: 'file',
        format: 'text',
        content: true,
      });
      if (JSON.parse(String(content)).created_at === written.created) return folder;
    } catch {
      // Missing or unreadable: try the next candidate.
    }
  }
  return null;
}
