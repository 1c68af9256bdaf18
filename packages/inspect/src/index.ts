export { type AttentionMap, type AttentionMapOptions, attentionMaps } from './attention-maps.js';
export { activationNames, Captured, type CaptureOptions, capture } from './capture.js';
export {
  type Intervention,
  intervene,
  meanAblation,
  type NamedInterventions,
  onHeads,
  zeroAblation,
} from './intervene.js';
export { type LensLayer, type LogitLensOptions, logitLens } from './logit-lens.js';
export { type NeuronQuestion, type Neurons, neurons } from './neurons.js';
export { patchShare } from './patches.js';
export { attentionRollout } from './rollout.js';
export { type HeadScores, headScores } from './scores.js';
export type { Watchable } from './watchable.js';
