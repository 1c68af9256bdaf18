import type * as tf from '@tensorflow/tfjs';

const writes = new WeakMap<object, number>();

/** Counts that values were written into the memory of a tensor, where its `dataId` stays the same. */
export function countWrite(tensor: Pick<tf.TensorInfo, 'dataId'>): void {
  writes.set(tensor.dataId, writesOf(tensor) + 1);
}

/** How often values were written into the memory of a tensor. */
export const writesOf = ({ dataId }: Pick<tf.TensorInfo, 'dataId'>): number =>
  writes.get(dataId) ?? 0;
