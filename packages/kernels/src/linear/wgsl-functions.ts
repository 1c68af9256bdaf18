/** `σ(z)`, its argument kept where `exp` is a normal number. */
export const sigmoid = /* wgsl */ `
  fn sigmoid(z: f32) -> f32 { return 1.0 / (1.0 + exp(clamp(-z, -87.0, 87.0))); }
`;

/**
 * `Φ(z)`, the normal distribution, from `Φ(−a) = exp(−a²/2) P(1 / (1 + 0.3 a))`.
 *
 * P is a minimax fit on [0, 13.5] with a relative error of 1.2e-7: small values keep their digits,
 * which they lose in `½ (1 + erf(z/√2))`.
 */
export const normalDistribution = /* wgsl */ `
  fn normal_distribution(z: f32) -> f32 {
    let a = min(abs(z), 13.0);
    let t = 1.0 / (1.0 + 0.3 * a);
    let p = 0.1196267 + t * (0.120794796 + t * (0.099651118 + t * (0.129454346
      + t * (-0.055421492 + t * (0.208292902 + t * (-0.158355603 + t * 0.035957169))))));
    let tail = exp(-0.5 * a * a) * t * p;
    return select(tail, 1.0 - tail, z > 0.0);
  }
`;
