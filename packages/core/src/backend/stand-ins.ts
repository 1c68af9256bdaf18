import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { InputError } from '../errors.js';

/** What TensorFlow.js's WebGPU backend knows of a tensor's data. */
interface TensorData {
  dtype: tf.DataType;
  shape: number[];
  /** A copy on the CPU; null where only the device has the values. */
  values: unknown;
  refCount: number;
}

/** The parts of TensorFlow.js 4.22's WebGPU backend that hold data and count the tensors that share them. */
interface Backend {
  tensorMap: {
    has(dataId: object): boolean;
    get(dataId: object): TensorData;
    set(dataId: object, data: TensorData): void;
  };
  uploadToGPU(dataId: object): void;
  refCount(dataId: object): number;
  incRef(dataId: object): void;
  disposeData(dataId: object, force?: boolean): boolean;
}

/** The part of TensorFlow.js's engine that says which backend has the data of a tensor. */
interface Engine {
  state: {
    tensorInfo: WeakMap<object, { backend: object; dtype: tf.DataType; shape: number[] }>;
  };
}

/**
 * Lets a backend that computes nothing take tensors of another backend by their shapes, where TensorFlow.js would move their data.
 *
 * References are counted by the backend that has the data, so that a tensor that shares them frees nothing when it is disposed of.
 *
 * @returns ends it; until then a variable of another backend that is assigned throws, as it would be left without values
 */
export function standInForOthers(planned: WebGPUBackend): () => void {
  const backend = planned as unknown as Backend;
  const { tensorInfo } = (tf.engine() as unknown as Engine).state;
  const othersInfo = (dataId: object) => {
    const info = tensorInfo.get(dataId);
    return info && info.backend !== planned ? info : undefined;
  };
  /** The backend that has data, itself or another. */
  const ownerOf = (dataId: object) => othersInfo(dataId)?.backend as Backend | undefined;
  const { tensorMap } = backend;
  const { get } = tensorMap;
  tensorMap.get = (dataId) => {
    const info = tensorMap.has(dataId) ? undefined : othersInfo(dataId);
    if (info) {
      const { dtype, shape, backend: owner } = info;
      // Values that JavaScript knows decide which way an operation takes.
      const { values = null } = (owner as Partial<Backend>).tensorMap?.get(dataId) ?? {};
      tensorMap.set(dataId, { dtype, shape, values, refCount: 1 });
      // TensorFlow.js computes on the CPU with small tensors that have no buffer.
      if (values === null) backend.uploadToGPU(dataId);
    }
    return get.call(tensorMap, dataId);
  };
  const own: Pick<Backend, 'refCount' | 'incRef' | 'disposeData'> = {
    refCount: backend.refCount.bind(backend),
    incRef: backend.incRef.bind(backend),
    disposeData: backend.disposeData.bind(backend),
  };
  const counting: typeof own = {
    refCount: (dataId) => (ownerOf(dataId) ?? own).refCount(dataId),
    incRef: (dataId) => (ownerOf(dataId) ?? own).incRef(dataId),
    disposeData: (dataId, force) => (ownerOf(dataId) ?? own).disposeData(dataId, force),
  };
  Object.assign(backend, counting);
  const { prototype } = tf.Variable;
  const { assign } = prototype;
  prototype.assign = function (this: tf.Variable, value) {
    if (othersInfo(this.dataId)) {
      throw new InputError(
        `variable '${this.name}' is assigned in a pass that computes nothing; expected a pass that changes no variables`,
      );
    }
    assign.call(this, value);
  };
  return () => {
    prototype.assign = assign;
  };
}
