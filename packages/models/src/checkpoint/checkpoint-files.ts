import type { ByteSource } from '@headwise/safetensors';

/** The files of a checkpoint, wherever they lie. */
export interface CheckpointFiles {
  /** Stands before file names in errors. */
  readonly name: string;
  /** Opens a file by its name; undefined where there is none. */
  open(file: string): Promise<ByteSource | undefined>;
}
