export {
  type CreateOptions,
  checkpointSource,
  checkpointTensors,
  createModel,
  families,
  type Model,
} from './checkpoint.js';
export { checkDivides, parseWith } from './config.js';
export { keyOf, type ModelFamily } from './family.js';
export { GPT2, type GPT2Config, gpt2 } from './gpt2.js';
export { AdaptedModel } from './lora/adapted.js';
export { Lora, type LoraOptions } from './lora/lora.js';
export { loraFromPeft, type PeftConfig, peftConfig, peftTensors } from './lora/peft.js';
export { quantizeModel } from './quantize.js';
