import { checkWithNextRead, sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram } from '../dispatch/program.js';
import { zeros } from '../dispatch/transfer.js';
import { type IdSpace, outside } from './space.js';

const lanes = 256;

/** One workgroup finds the first id outside; the first check that finds one keeps its number, the place and the id. */
const program = defineProgram({
  label: 'headwise/CheckIds',
  inputs: { ids: 'i32' },
  outputs: { fault: 'i32' },
  params: { size: 'u32', count: 'i32', ignored: 'i32', check: 'i32' },
  wgsl: /* wgsl */ `
    // The complement of the place, so that the first one is the largest.
    var<workgroup> first: atomic<u32>;
    @compute @workgroup_size(${lanes})
    fn main(@builtin(local_invocation_index) lane: u32) {
      for (var i = lane; i < params.size; i += ${lanes}u) {
        let id = ids[i];
        if ((id < 0 || id >= params.count) && id != params.ignored) {
          atomicMax(&first, ~i);
          break;
        }
      }
      workgroupBarrier();
      let place = ~atomicLoad(&first);
      if (lane == 0u && place != 0xffffffffu && fault[0] == 0) {
        fault[0] = params.check;
        fault[1] = i32(place);
        fault[2] = ids[place];
      }
    }
  `,
});

interface Checks {
  /** The number of the check that found an id outside, from 1 on, or 0; its place; the id. */
  fault: tf.TensorInfo;
  made: Map<string, { space: IdSpace; shape: readonly number[]; number: number }>;
}

/** Checks since the last read. */
const open = new WeakMap<WebGPUBackend, Checks>();

/** Looks for ids outside their space on the device; the next `readTensor` throws for the first. */
export function checkOnDevice(backend: WebGPUBackend, ids: tf.TensorInfo, space: IdSpace): void {
  const checks = open.get(backend) ?? begin(backend);
  const key = [space.name, space.count, space.ignored, space.of, ids.shape].join('/');
  const check = checks.made.get(key) ?? {
    space,
    shape: ids.shape,
    number: checks.made.size + 1,
  };
  checks.made.set(key, check);
  const { count, ignored = 0 } = space;
  dispatch(backend, program, {
    inputs: { ids },
    outputs: { fault: checks.fault },
    params: { size: sizeOf(ids.shape), count, ignored, check: check.number },
    workgroups: [1],
  });
}

function begin(backend: WebGPUBackend): Checks {
  const checks: Checks = { fault: zeros(backend, [3], 'int32'), made: new Map() };
  open.set(backend, checks);
  checkWithNextRead(async () => {
    open.delete(backend);
    const { dataId } = checks.fault;
    const [number, place, id] = (await backend.read(dataId)) as Int32Array;
    backend.disposeData(dataId);
    const found = [...checks.made.values()].find((check) => check.number === number);
    if (found) throw outside(id!, place!, found.space, found.shape);
  });
  return checks;
}
