import { access, constants } from 'node:fs/promises';
import { toFolderError } from '../store/folder-lock.ts';
import { makeFolder } from '../store/make-folder.ts';

/**
 * Makes the data folder when there is none, and sees that this user can write it.
 * @throws DialogLensError `store_read_only`, `store_full`, naming the folder and the setting
 */
export async function prepareDataFolder(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir);
    await access(dataDir, constants.W_OK);
  } catch (thrown) {
    throw toFolderError(thrown, dataDir);
  }
}
