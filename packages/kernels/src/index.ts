export { layerNorm, registerLayerNorm } from './layer-norm/index.js';
export { layerNormReference } from './layer-norm/reference.js';
export { registerKernels } from './register.js';
export { registerRmsNorm, rmsNorm } from './rms-norm/index.js';
export { rmsNormReference } from './rms-norm/reference.js';
