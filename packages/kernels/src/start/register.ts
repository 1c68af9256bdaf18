import { registerAdditiveAttention } from '../additive-attention/index.js';
import { registerAttention } from '../attention/index.js';
import { registerBestScores } from '../best-scores/index.js';
import { registerChunkedCrossEntropy } from '../chunked-cross-entropy/index.js';
import { registerCrossEntropy } from '../cross-entropy/index.js';
import { registerAppendKeysValues } from '../decode-attention/append.js';
import { registerUnpackHalves } from '../decode-attention/halves.js';
import { registerDecodeAttention } from '../decode-attention/index.js';
import { registerDropout } from '../dropout/index.js';
import { registerLargeElementwise } from '../elementwise/large.js';
import { registerGatherRows } from '../embedding/index.js';
import { registerGatedLinear } from '../gated-linear/index.js';
import { registerGlobalNorm } from '../global-norm/index.js';
import { registerToHalves } from '../halves/index.js';
import { registerLayerNorm } from '../layer-norm/index.js';
import { registerLinear } from '../linear/index.js';
import { registerOptimizers } from '../optimizer/index.js';
import { registerPackedLinear } from '../packed-linear/index.js';
import { registerRmsNorm } from '../rms-norm/index.js';
import { registerRotary } from '../rotary/index.js';
import { registerSampling } from '../sampling/index.js';
import { registerSoftmax } from '../softmax/index.js';

/** Registers every WebGPU kernel of this package with TensorFlow.js; calling it again changes nothing. */
export function registerKernels(): void {
  registerBestScores();
  registerChunkedCrossEntropy();
  registerCrossEntropy();
  registerDropout();
  registerGatherRows();
  registerAdditiveAttention();
  registerAttention();
  registerGlobalNorm();
  registerAppendKeysValues();
  registerDecodeAttention();
  registerUnpackHalves();
  registerLargeElementwise();
  registerToHalves();
  registerLayerNorm();
  registerLinear();
  registerOptimizers();
  registerPackedLinear();
  registerRmsNorm();
  registerSampling();
  registerSoftmax();
  registerGatedLinear();
  registerRotary();
}
