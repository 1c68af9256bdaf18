import { lowest } from '../dispatch/peak.js';
import { samplingGroups as lanes } from './reference.js';

/** The cut-offs in their order, as the shader numbers them; top-n-σ takes two passes. */
export const cutOffStages = [
  'mean',
  'sigma',
  'top-k',
  'top-p',
  'min-p',
  'typical',
  'epsilon',
  'eta',
] as const;
const stage = (name: (typeof cutOffStages)[number]): string => `${cutOffStages.indexOf(name)}u`;

/**
 * WGSL of `cut_off`, which finds the tokens that stay after every cut-off.
 *
 * Must be in scope: `selectWgsl` and what it needs; of the uniform the cut-offs and `stages`.
 */
export const cutOffWgsl: string = /* wgsl */ `
  /** Over the tokens that stay: Σ w, Σ w x and the largest scaled score. */
  struct Sums { weight: f32, moment: f32, largest: f32 }
  var<workgroup> lane_sums: array<Sums, ${lanes}>;

  /** In the first two stages w is 1 and x the score relative to the best, or its squared deviation; then w = exp(x). */
  fn sums_of(start: u32, lane: u32, kept: Kept, largest: f32, stage: u32, mean: f32) -> Sums {
    var sums = Sums(0.0, 0.0, ${lowest});
    for (var v = lane; v < params.vocabulary; v += ${lanes}u) {
      let value = score(start, v);
      if (value < ${lowest} || !stays(kept, value, v, largest)) { continue; }
      var weight = 1.0;
      var x = value - largest;
      if (stage == ${stage('sigma')}) { x = (x - mean) * (x - mean); }
      if (stage > ${stage('sigma')}) {
        x = scaled(value, largest);
        weight = exp(x);
        // No product with what may be infinite.
        if (weight == 0.0) { x = 0.0; }
        sums.largest = max(sums.largest, scaled(value, largest));
      }
      sums.weight += weight;
      sums.moment += weight * x;
    }
    workgroupBarrier();
    lane_sums[lane] = sums;
    workgroupBarrier();
    for (var half = params.digits / 2u; half > 0u; half = half / 2u) {
      if (lane < half) {
        let own = lane_sums[lane];
        let other = lane_sums[lane + half];
        lane_sums[lane] = Sums(
          own.weight + other.weight, own.moment + other.moment, max(own.largest, other.largest),
        );
      }
      workgroupBarrier();
    }
    return workgroupUniformLoad(&lane_sums[0]);
  }

  fn takes_stage(stage: u32) -> bool {
    switch stage {
      case ${stage('top-k')} { return params.top_k > 0u; }
      case ${stage('top-p')} { return params.top_p < 1.0; }
      case ${stage('min-p')} { return params.least > -1e38; }
      case ${stage('typical')} { return params.typical < 1.0; }
      case ${stage('epsilon')} { return params.epsilon > 0.0; }
      case ${stage('eta')} { return params.eta > 0.0; }
      default { return params.sigmas > 0.0; }
    }
  }

  fn cut_off(start: u32, lane: u32, largest: f32) -> Kept {
    var kept = everything();
    var mean = 0.0;
    // A loop, and not of constant length, so that compilers keep one copy of the passes.
    for (var stage = 0u; stage < params.stages; stage++) {
      if (!takes_stage(stage)) { continue; }
      var sums = Sums(1.0, 0.0, 0.0);
      if (stage <= ${stage('sigma')} || stage >= ${stage('typical')}) {
        sums = sums_of(start, lane, kept, largest, stage, mean);
      }
      let average = sums.moment / sums.weight;
      var bound = ${lowest};
      if (stage == ${stage('mean')}) { mean = average; }
      if (stage == ${stage('sigma')}) { bound = -params.sigmas * sqrt(average) / params.temperature; }
      if (stage == ${stage('min-p')}) { bound = params.least; }
      if (stage == ${stage('typical')}) { kept.center = average; }
      if (stage >= ${stage('epsilon')}) {
        var share = params.epsilon;
        // exp(−entropy) = exp(Σ p x) / Σ w
        if (stage == ${stage('eta')}) { share = min(params.eta, sqrt(params.eta) * exp(average) / sums.weight); }
        bound = min(log(share * sums.weight), sums.largest);
      }
      kept.least = max(kept.least, bound);
      let by_count = stage == ${stage('top-k')};
      let near = stage == ${stage('typical')};
      if (by_count || near || stage == ${stage('top-p')}) {
        let count = select(0u, params.top_k, by_count);
        let cut = cut_after(start, lane, kept, largest, count, select(params.top_p, params.typical, near), near);
        if (near) { kept.nearest = cut.key; } else { kept.cut = cut; }
      }
    }
    return kept;
  }
`;
