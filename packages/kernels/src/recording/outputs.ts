import { sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { Backend } from './backend.js';
import type { BufferManager } from './buffers.js';
import { mapTensors, tensorsIn } from './containers.js';

/** The form of an output, and the buffer that each replay writes it into. */
interface Place {
  shape: number[];
  dtype: tf.DataType;
  buffer: GPUBuffer;
  size: number;
}

/** What a recorded step returned; its buffers can be lent to other work between replays. */
export class StepOutputs<T extends tf.TensorContainer> {
  readonly #backend: Backend;
  readonly #manager: BufferManager;
  /** Data of the outputs that the step made; others are tensors that it was given. */
  readonly #made: Set<object>;
  #tensors: T;
  /** Where lent outputs lie, by the tensor that was let go of. */
  #lent: Map<tf.Tensor, Place> | undefined;

  constructor(backend: Backend, tensors: T, made: Set<object>) {
    this.#backend = backend;
    this.#manager = backend.bufferManager;
    this.#tensors = tensors;
    this.#made = made;
  }

  get tensors(): T {
    if (this.#lent) throw new Error('a recorded step has lent its outputs; replay it to read them');
    return this.#tensors;
  }

  /** The data that a replay writes or may write. */
  get data(): object[] {
    return tensorsIn(this.#tensors).map(({ dataId }) => dataId);
  }

  /** Disposes the outputs: others may use their buffers, once nobody holds a clone. */
  lend(): void {
    if (this.#lent) return;
    this.#lent = new Map();
    for (const tensor of tensorsIn(this.#tensors)) {
      if (!this.#made.has(tensor.dataId) || sizeOf(tensor.shape) === 0) continue;
      const { resource } = this.#backend.tensorMap.get(tensor.dataId);
      const { shape, dtype } = tensor;
      this.#lent.set(tensor, { shape, dtype, buffer: resource!, size: resource!.size });
    }
    for (const tensor of this.#lent.keys()) tensor.dispose();
  }

  /** Whether the buffers of all outputs are free, or still theirs. */
  get isBack(): boolean {
    return !this.#lent || this.#manager.areFree(this.#buffers.keys());
  }

  /** Takes the buffers back, where they are free; the outputs are new tensors then. */
  takeBack(): void {
    if (!this.#lent) return;
    const lent = this.#lent;
    this.#manager.takeBuffers(this.#buffers);
    // Outputs that shared their values share them again.
    const made = new Map<GPUBuffer, tf.Tensor>();
    this.#tensors = mapTensors(this.#tensors, (tensor) => {
      const place = lent.get(tensor);
      if (!place) return tensor;
      const { shape, dtype, buffer } = place;
      const first = made.get(buffer);
      if (first) return tf.tidy(() => tf.keep(first.reshape(shape)));
      const info = this.#backend.makeTensorInfo(shape, dtype);
      this.#backend.tensorMap.get(info.dataId).resource = buffer;
      this.#made.add(info.dataId);
      const own = tf.keep(tf.engine().makeTensorFromTensorInfo(info));
      made.set(buffer, own);
      return own;
    });
    this.#lent = undefined;
  }

  dispose(): void {
    for (const tensor of tensorsIn(this.#tensors)) if (!tensor.isDisposed) tensor.dispose();
  }

  get #buffers(): Map<GPUBuffer, number> {
    return new Map([...(this.#lent?.values() ?? [])].map(({ buffer, size }) => [buffer, size]));
  }
}
