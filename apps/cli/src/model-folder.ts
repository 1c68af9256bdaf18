import { describeCheckpoint } from '@headwise/models';
import { diskFiles } from '@headwise/models/node';

/**
 * Throws unless a folder holds a model: its configuration, and every parameter in the header of its weights.
 *
 * No values are read and no backend is needed, so that commands can refuse before they start one.
 */
export async function checkModelFolder(folder: string): Promise<void> {
  await describeCheckpoint(diskFiles(folder));
}
