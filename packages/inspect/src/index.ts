export { type AttentionMap, type AttentionMapOptions, attentionMaps } from './attention-maps.js';
export { activationNames, Captured, type CaptureOptions, capture } from './capture.js';
export {
  type Intervention,
  intervene,
  mean,
  type NamedInterventions,
  onHeads,
  zero,
} from './intervene.js';
export { matches } from './names.js';
