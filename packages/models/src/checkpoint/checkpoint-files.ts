import type { ByteSource, TensorReader } from '@headwise/safetensors';
import type { ModelFamily } from '../family.js';

/** The files of a checkpoint, wherever they lie. */
export interface CheckpointFiles {
  /** Stands before file names in errors. */
  readonly name: string;
  /** Opens a file by its name; undefined where there is none. */
  open(file: string): Promise<ByteSource | undefined>;
  /** The tensors, where they lie in another file than a checkpoint of Hugging Face's has. */
  tensors?(): Promise<CheckpointTensors>;
}

/** The tensors of a checkpoint. */
export interface CheckpointTensors {
  readonly reader: TensorReader;
  /** Names them in errors. */
  readonly name: string;
  /** The family with the keys that the tensors have; absent where they are Hugging Face's. */
  storedAs?(family: ModelFamily, config: unknown): ModelFamily;
}
