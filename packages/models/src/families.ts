import { InputError, quoted } from '@headwise/core';
import { albert } from './families/albert.js';
import { bart } from './families/bart.js';
import { bert } from './families/bert.js';
import { bloom } from './families/bloom.js';
import { clipText, clipVision } from './families/clip.js';
import { debertaV2 } from './families/deberta.js';
import { distilBert } from './families/distilbert.js';
import { electra } from './families/electra.js';
import { mixtral, qwen3Moe } from './families/experts.js';
import { falcon } from './families/falcon.js';
import { gemma, gemma2, gemma3, gemma3Text } from './families/gemma.js';
import { gptNeoX } from './families/gpt-neox.js';
import { gpt2 } from './families/gpt2.js';
import { gptj } from './families/gptj.js';
import { granite } from './families/granite.js';
import { headwise } from './families/headwise.js';
import { llama, mistral, qwen2, qwen3 } from './families/llama.js';
import { modernBert } from './families/modernbert.js';
import { mpnet } from './families/mpnet.js';
import { olmo2, olmo3 } from './families/olmo.js';
import { opt } from './families/opt.js';
import { phi, phi3 } from './families/phi.js';
import { m2m100, mbart, pegasus } from './families/pre-norm-bart.js';
import { camembert, roberta, xlmRoberta } from './families/roberta.js';
import { smolLM3 } from './families/smollm3.js';
import { stableLM } from './families/stablelm.js';
import { starCoder2 } from './families/starcoder2.js';
import { mt5, t5, umt5 } from './families/t5.js';
import { transformer } from './families/transformer.js';
import { transformerXL } from './families/transformer-xl.js';
import { visionEncoderDecoder } from './families/vision-encoder-decoder.js';
import { vit } from './families/vit.js';
import { whisper } from './families/whisper.js';
import type { ModelFamily } from './family.js';

/** Every family that this package knows, by `model_type`; `headwise` is a typed configuration itself. */
export const families: Readonly<Record<string, ModelFamily>> = {
  headwise: headwise as ModelFamily,
  gpt2: gpt2 as ModelFamily,
  bloom: bloom as ModelFamily,
  falcon: falcon as ModelFamily,
  llama: llama as ModelFamily,
  mistral: mistral as ModelFamily,
  qwen2: qwen2 as ModelFamily,
  qwen3: qwen3 as ModelFamily,
  mixtral: mixtral as ModelFamily,
  qwen3_moe: qwen3Moe as ModelFamily,
  gemma: gemma as ModelFamily,
  gemma2: gemma2 as ModelFamily,
  gemma3_text: gemma3Text as ModelFamily,
  gemma3: gemma3 as ModelFamily,
  gpt_neox: gptNeoX as ModelFamily,
  smollm3: smolLM3 as ModelFamily,
  phi: phi as ModelFamily,
  phi3: phi3 as ModelFamily,
  olmo2: olmo2 as ModelFamily,
  olmo3: olmo3 as ModelFamily,
  opt: opt as ModelFamily,
  gptj: gptj as ModelFamily,
  stablelm: stableLM as ModelFamily,
  starcoder2: starCoder2 as ModelFamily,
  granite: granite as ModelFamily,
  'transfo-xl': transformerXL as ModelFamily,
  bert: bert as ModelFamily,
  roberta: roberta as ModelFamily,
  'xlm-roberta': xlmRoberta as ModelFamily,
  camembert: camembert as ModelFamily,
  distilbert: distilBert as ModelFamily,
  electra: electra as ModelFamily,
  albert: albert as ModelFamily,
  mpnet: mpnet as ModelFamily,
  modernbert: modernBert as ModelFamily,
  'deberta-v2': debertaV2 as ModelFamily,
  vit: vit as ModelFamily,
  clip_vision_model: clipVision as ModelFamily,
  clip_text_model: clipText as ModelFamily,
  marian: transformer as ModelFamily,
  bart: bart as ModelFamily,
  t5: t5 as ModelFamily,
  mt5: mt5 as ModelFamily,
  umt5: umt5 as ModelFamily,
  mbart: mbart as ModelFamily,
  pegasus: pegasus as ModelFamily,
  m2m_100: m2m100 as ModelFamily,
  whisper: whisper as ModelFamily,
  'vision-encoder-decoder': visionEncoderDecoder as ModelFamily,
};

/**
 * The family that a configuration names.
 *
 * @throws InputError for one that this package does not know
 */
export function familyOf(json: unknown, name = 'config.json'): ModelFamily {
  const modelType = (json as { model_type?: unknown } | null)?.model_type;
  const family = Object.hasOwn(families, String(modelType)) && families[String(modelType)];
  if (family) return family;
  if (modelType === 'clip') {
    throw new InputError(
      `${name}: 'model_type' is "clip", which holds two models; read each by itself: loadModel(folder, { configure: clipTower('vision') }), or 'text'`,
    );
  }
  throw new InputError(
    `${name}: 'model_type' is ${quoted(modelType)}; known are ${Object.keys(families).join(', ')}`,
  );
}

/** A configuration that was read and checked, with its family. */
export interface FamilyConfiguration {
  family: ModelFamily;
  config: unknown;
}

/**
 * Reads a configuration of any family.
 *
 * @throws InputError with one line a problem
 */
export function readConfiguration(json: unknown, name = 'config.json'): FamilyConfiguration {
  const family = familyOf(json, name);
  return { family, config: family.parseConfig(json, name) };
}
