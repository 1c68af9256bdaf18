import { writeFile } from '@headwise/files';
import type { LazyTensorInput, Metadata, TensorInput } from '../layout.js';
import { streamSafetensors } from '../write.js';
import { asSafetensorsError } from './file-bytes.js';

/**
 * Writes a file that is there whole or not at all: to a temporary name beside it, flushed to disk, then renamed.
 *
 * Where the folder has a manifest, the file is committed to it.
 *
 * @param tensors by name, in any order; one with a function as `data` is fetched only when its turn comes
 * @throws SafetensorsError naming the file, the tensor, what was given and what was expected
 */
export async function writeSafetensorsFile(
  path: string,
  tensors: Readonly<Record<string, TensorInput | LazyTensorInput>>,
  metadata: Metadata = {},
): Promise<void> {
  await writeFile(path, streamSafetensors(tensors, metadata, { name: path })).catch((error) => {
    throw asSafetensorsError(error);
  });
}
