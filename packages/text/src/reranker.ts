import { InputError, quoted } from '@headwise/core';
import type { CheckpointFiles, Model } from '@headwise/models';
import { openConfig, openJson } from '@headwise/models/internal';

/** What a cross-encoder's score is made of its logit. */
export type RerankActivation = 'sigmoid' | 'none';

/** How a cross-encoder scores pairs of texts, from its folder. */
export interface RerankSettings {
  /** Default `'sigmoid'`. */
  readonly activation?: RerankActivation | undefined;
  /** The most tokens of a pair, special tokens among them, where that is less than the model's context. */
  readonly maxLength?: number | undefined;
  /** Whether the model is told which text a token is of; default true. */
  readonly tokenTypes?: boolean | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/** Activations by their names in PyTorch. */
const activations: Readonly<Record<string, RerankActivation>> = {
  Sigmoid: 'sigmoid',
  Identity: 'none',
};

/** Whether a model is a cross-encoder: an encoder, or a decoder, that gives a sequence one score. */
export function isReranker({ family, config }: Pick<Model, 'family' | 'config'>): boolean {
  const { head } = family.preset(config);
  return head.kind === 'sequence-classification' && head.labels === 1;
}

/**
 * The settings of a cross-encoder's folder: the activation that `config_sentence_transformers.json` or `config.json` names, the
 * greatest length, and whether tokens have types.
 *
 * @throws InputError naming the file and the key that is not supported
 * @see https://sbert.net/docs/cross_encoder/usage/usage.html
 */
export async function rerankSettings(
  files: CheckpointFiles,
  { family, config }: Pick<Model, 'family' | 'config'>,
): Promise<RerankSettings> {
  const documentOf = async (name: string) =>
    ((await openJson(files, name))?.json ?? {}) as Json | readonly Json[];
  const modules = await documentOf('modules.json');
  const kinds = Array.isArray(modules)
    ? modules.map((module: Json) => String(module?.type).split('.').at(-1))
    : [];
  if (kinds.length > 1 || (kinds[0] ?? 'Transformer') !== 'Transformer') {
    throw new InputError(
      `modules.json: the modules are ${kinds.join(', ')}; expected Transformer alone, of a cross-encoder whose head gives one score`,
    );
  }
  const saved = (await documentOf('config_sentence_transformers.json')) as Json;
  if (saved.default_prompt_name != null) {
    throw new InputError(
      `config_sentence_transformers.json: default_prompt_name is ${quoted(saved.default_prompt_name)}; prompts of cross-encoders are not built`,
    );
  }
  const { json } = (await openConfig(files)) as { json: Json };
  const own = json.sentence_transformers as Json | null | undefined;
  const tokenizer = (await documentOf('tokenizer_config.json')) as Json;
  const sentence = (await documentOf('sentence_bert_config.json')) as Json;
  const maxLength = sentence.max_seq_length ?? tokenizer.model_max_length;
  const types = family.preset(config).embedding?.tokenTypes ?? 0;
  return {
    activation: activationOf(
      saved.activation_fn ?? own?.activation_fn ?? json.sbert_ce_default_activation_function,
    ),
    ...(Number.isSafeInteger(maxLength) ? { maxLength: maxLength as number } : {}),
    tokenTypes: types > 1 && givesTypes(tokenizer, family.modelType),
  };
}

/** Whether a tokenizer of transformers 5 gives types of tokens: as it says itself, or as its class does. */
function givesTypes(
  { model_input_names: named, tokenizer_class: className }: Json,
  modelType: string,
): boolean {
  if (Array.isArray(named)) return named.includes('token_type_ids');
  if (className == null) return ['bert', 'electra', 'deberta-v2'].includes(modelType);
  return /^(Bert|Electra|DebertaV2)Tokenizer/.test(String(className));
}

function activationOf(name: unknown): RerankActivation {
  if (name == null) return 'sigmoid';
  const kind = String(name).split('.').at(-1)!;
  if (Object.hasOwn(activations, kind)) return activations[kind]!;
  throw new InputError(
    `activation_fn is ${quoted(name)}; expected one of ${Object.keys(activations).join(', ')} of torch`,
  );
}
