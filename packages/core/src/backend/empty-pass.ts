const nothing = (): void => {};

/** The commands of a compute pass that TensorFlow.js gives. */
interface PassCommands {
  setPipeline(): void;
  setBindGroup(): void;
  setImmediates(): void;
  dispatchWorkgroups(): void;
  end(): void;
}

/** A compute pass that takes every command and computes nothing. */
export const emptyPass = (): PassCommands => ({
  setPipeline: nothing,
  setBindGroup: nothing,
  setImmediates: nothing,
  dispatchWorkgroups: nothing,
  end: nothing,
});
