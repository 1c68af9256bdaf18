const nothing = () => {};

/** A compute pass that takes every command and computes nothing. */
export const emptyPass = () => ({
  setPipeline: nothing,
  setBindGroup: nothing,
  dispatchWorkgroups: nothing,
  end: nothing,
});
