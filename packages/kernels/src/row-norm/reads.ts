/** WGSL of the reads of a norm's input: `origin` and `first` for the first pass, `value` for later ones. */
export const plainReads: string = /* wgsl */ `
  fn origin(i: u32) -> f32 { return x[i]; }
  fn first(i: u32) -> f32 { return x[i]; }
  fn value(i: u32) -> f32 { return x[i]; }
`;

/** As above for an input `x + added`: the first pass writes the sum, and each lane reads back its own values. */
export const addingReads: string = /* wgsl */ `
  fn origin(i: u32) -> f32 { return x[i] + added[i]; }
  fn first(i: u32) -> f32 {
    let total = x[i] + added[i];
    sum[i] = total;
    return total;
  }
  fn value(i: u32) -> f32 { return sum[i]; }
`;
