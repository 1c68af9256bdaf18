/** The lowest finite float32, as WGSL and JavaScript write it: below it is −∞ alone. */
export const lowest = '-3.4028234663852886e38';

/**
 * WGSL of `Peak`: the largest of some scores, and the sum of `exp(score − largest)`, kept as they come.
 *
 * @param exponent of a weight, from the `difference` of two scores that is not positive
 */
export const peakWgsl = (exponent = 'difference'): string => /* wgsl */ `
  struct Peak { largest: f32, sum: f32 }
  fn raised(peak: Peak, score: f32) -> Peak {
    // One exponential a score: of what comes in, or of what the sum shrinks by.
    let higher = score > peak.largest;
    let difference = -abs(score - peak.largest);
    let e = exp(${exponent});
    return Peak(max(peak.largest, score), select(peak.sum + e, peak.sum * e + 1.0, higher));
  }
`;
