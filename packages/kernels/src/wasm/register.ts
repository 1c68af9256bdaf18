import { addRowsGradient } from '../add-rows/gradient.js';
import { addRowsGradientWasmKernel, addRowsWasmKernel } from '../add-rows/wasm.js';
import { attentionGradient } from '../attention/gradient.js';
import {
  attentionGradientWasmKernel,
  attentionTableGradientWasmKernel,
  attentionWasmKernel,
} from '../attention/wasm.js';
import { crossEntropyGradient } from '../cross-entropy/gradient.js';
import {
  addInPlaceWasmKernel,
  crossEntropyGradientInPlaceWasmKernel,
  crossEntropyGradientWasmKernel,
  crossEntropyWasmKernel,
  labelSharesWasmKernel,
  weightedSumWasmKernel,
} from '../cross-entropy/wasm.js';
import {
  appendWasmKernel,
  decodeAttentionWasmKernel,
  unpackHalvesWasmKernel,
} from '../decode-attention/wasm.js';
import { registerGradient, registerWasmKernel } from '../dispatch/register.js';
import { dropoutGradient } from '../dropout/gradient.js';
import { dropoutWasmKernel } from '../dropout/wasm.js';
import { gatherRowsGradient } from '../embedding/gradient.js';
import { gatherRowsGradientWasmKernel, gatherRowsWasmKernel } from '../embedding/wasm.js';
import { feedForwardGradient } from '../feed-forward/gradient.js';
import { feedForwardGradientWasmKernel, feedForwardWasmKernel } from '../feed-forward/wasm.js';
import { gatedLinearGradient } from '../gated-linear/gradient.js';
import { gatedLinearGradientWasmKernel, gatedLinearWasmKernel } from '../gated-linear/wasm.js';
import { globalNormWasmKernel } from '../global-norm/wasm.js';
import { layerNormForm } from '../layer-norm/webgpu.js';
import { linearGradient } from '../linear/gradient.js';
import {
  linearGradientWasmKernel,
  linearWasmKernel,
  matrixProductWasmKernel,
} from '../linear/wasm.js';
import { adamwWasmKernel } from '../optimizer/wasm.js';
import { packedLinearGradient } from '../packed-linear/gradient.js';
import {
  gatherPackedRowsWasmKernel,
  packedLinearGradientWasmKernel,
  packedLinearWasmKernel,
  unpackWeightWasmKernel,
} from '../packed-linear/wasm.js';
import { rmsNormForm } from '../rms-norm/webgpu.js';
import { rotaryGradient } from '../rotary/gradient.js';
import { rotaryWasmKernel } from '../rotary/wasm.js';
import { registerWasmNorm } from '../row-norm/wasm.js';
import { softmaxGradient } from '../softmax/gradient.js';
import { softmaxGradientWasmKernel, softmaxWasmKernel } from '../softmax/wasm.js';
import { hasKernelInstructions } from './module.js';

/**
 * Registers the kernels for the wasm backend, where the engine has their instructions; calling it again changes nothing.
 *
 * The first kernel that runs compiles them.
 *
 * @returns whether there are any
 */
export function registerWasmKernels(): boolean {
  if (!hasKernelInstructions()) return false;
  registerWasmKernel('headwise/MatrixProduct', matrixProductWasmKernel);
  registerWasmKernel('headwise/Linear', linearWasmKernel);
  registerWasmKernel('headwise/LinearGradient', linearGradientWasmKernel);
  registerWasmKernel('headwise/FeedForward', feedForwardWasmKernel);
  registerWasmKernel('headwise/FeedForwardGradient', feedForwardGradientWasmKernel);
  registerWasmKernel('headwise/GatedLinear', gatedLinearWasmKernel);
  registerWasmKernel('headwise/GatedLinearGradient', gatedLinearGradientWasmKernel);
  registerWasmKernel('headwise/Attention', attentionWasmKernel);
  registerWasmKernel('headwise/AttentionGradient', attentionGradientWasmKernel);
  registerWasmKernel('headwise/AttentionTableGradient', attentionTableGradientWasmKernel);
  registerWasmKernel('headwise/DecodeAttention', decodeAttentionWasmKernel);
  registerWasmKernel('headwise/AppendKeysValues', appendWasmKernel);
  registerWasmKernel('headwise/UnpackHalves', unpackHalvesWasmKernel);
  registerWasmNorm(layerNormForm);
  registerWasmNorm(rmsNormForm);
  registerWasmKernel('headwise/CrossEntropy', crossEntropyWasmKernel);
  registerWasmKernel('headwise/CrossEntropyGradient', crossEntropyGradientWasmKernel);
  registerWasmKernel('headwise/CrossEntropyGradientInPlace', crossEntropyGradientInPlaceWasmKernel);
  registerWasmKernel('headwise/LabelShares', labelSharesWasmKernel);
  registerWasmKernel('headwise/WeightedSum', weightedSumWasmKernel);
  registerWasmKernel('headwise/AddInPlace', addInPlaceWasmKernel);
  registerWasmKernel('headwise/Softmax', softmaxWasmKernel);
  registerWasmKernel('headwise/SoftmaxGradient', softmaxGradientWasmKernel);
  registerWasmKernel('headwise/GatherRows', gatherRowsWasmKernel);
  registerWasmKernel('headwise/GatherRowsGradient', gatherRowsGradientWasmKernel);
  registerWasmKernel('headwise/Rotary', rotaryWasmKernel);
  registerWasmKernel('headwise/AddRows', addRowsWasmKernel);
  registerWasmKernel('headwise/AddRowsGradient', addRowsGradientWasmKernel);
  registerWasmKernel('headwise/Dropout', dropoutWasmKernel);
  registerWasmKernel('headwise/PackedLinear', packedLinearWasmKernel);
  registerWasmKernel('headwise/PackedLinearGradient', packedLinearGradientWasmKernel);
  registerWasmKernel('headwise/UnpackWeight', unpackWeightWasmKernel);
  registerWasmKernel('headwise/GatherPackedRows', gatherPackedRowsWasmKernel);
  registerWasmKernel('headwise/UpdateAdamW', adamwWasmKernel);
  registerWasmKernel('headwise/GlobalNorm', globalNormWasmKernel);
  for (const gradient of [
    ...[linearGradient, feedForwardGradient, packedLinearGradient, attentionGradient],
    ...[crossEntropyGradient, softmaxGradient, gatherRowsGradient],
    ...[rotaryGradient, addRowsGradient, dropoutGradient, gatedLinearGradient],
  ]) {
    registerGradient(gradient);
  }
  return true;
}
