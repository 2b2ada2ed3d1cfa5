import { PageConfig } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import { candidates, inFolder, type Written } from './exports';

/** The bundle's folder in Jupyter's files; null where they do not hold it. */
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
      // Not there, or not to be read: the next.
    }
  }
  return null;
}
