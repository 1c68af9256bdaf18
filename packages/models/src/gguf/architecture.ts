import type { GgufMetadata } from '@headwise/gguf';
import type { KeyTable } from '../family.js';

/** A model in the terms of llama.cpp. */
export interface GgufArchitecture {
  /** `general.architecture`. */
  readonly name: string;
  /** Its settings, without the architecture's name before their keys. */
  readonly settings: GgufMetadata;
  /** Where parameters lie in the file: our paths, llama.cpp's names, and the order of rows there where it is another. */
  readonly names: KeyTable;
  /** Tensors beside parameters, of one axis. */
  readonly buffers?: Readonly<Record<string, Float32Array>> | undefined;
}
