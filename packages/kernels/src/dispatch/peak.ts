/** WGSL of `Peak`: the largest of some scores, and the sum of `exp(score − largest)`, kept as they come. */
export const peakWgsl: string = /* wgsl */ `
  struct Peak { largest: f32, sum: f32 }
  fn raised(peak: Peak, score: f32) -> Peak {
    // One exponential a score: of what comes in, or of what the sum shrinks by.
    let difference = score - peak.largest;
    let e = exp(-abs(difference));
    let higher = difference > 0.0;
    return Peak(max(peak.largest, score), select(peak.sum + e, peak.sum * e + 1.0, higher));
  }
`;
