import * as tf from '@tensorflow/tfjs';

/** The same nesting of arrays and objects, every tensor replaced. */
export function mapTensors<T extends tf.TensorContainer>(
  container: T,
  replace: (tensor: tf.Tensor) => tf.Tensor,
): T {
  const mapped = (value: tf.TensorContainer): tf.TensorContainer => {
    if (value instanceof tf.Tensor) return replace(value);
    if (Array.isArray(value)) return value.map(mapped);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, mapped(inner as tf.TensorContainer)]),
    );
  };
  return mapped(container) as T;
}

/** Every tensor in a nesting of arrays and objects. */
export function tensorsIn(container: tf.TensorContainer): tf.Tensor[] {
  const tensors: tf.Tensor[] = [];
  mapTensors(container, (tensor) => {
    tensors.push(tensor);
    return tensor;
  });
  return tensors;
}
