/** The number of dispatches that a function records on WebGPU. */
export function dispatchesOf(run: () => void): number {
  let dispatches = 0;
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...counts) {
    dispatches++;
    return dispatchWorkgroups.apply(this, counts);
  };
  try {
    run();
  } finally {
    GPUComputePassEncoder.prototype.dispatchWorkgroups = dispatchWorkgroups;
  }
  return dispatches;
}
