import { InputError, initializers, ParamStore, quoted, readTensor } from '@headwise/core';
import { type CheckpointFiles, loadParams } from '@headwise/models';
import { openJson } from '@headwise/models/internal';
import { type DenseLayer, denseActivations } from './dense-layer.js';
import type { Pooling } from './pooling.js';

/** How a model's hidden states become vectors, from a folder of sentence-transformers. */
export interface SentenceSettings {
  /** How the hidden states of a text become one vector; several are joined end to end. */
  readonly pooling?: Pooling | readonly Pooling[] | undefined;
  /** Projections of the pooled vector, in order. */
  readonly dense?: readonly DenseLayer[] | undefined;
  readonly normalize?: boolean | undefined;
  /** The most tokens of a text, special tokens among them, where that is less than the model's context. */
  readonly maxLength?: number | undefined;
  /** Texts are put in lower case. */
  readonly lowerCase?: boolean | undefined;
  /** What stands before texts, by name: `query`, `document`. */
  readonly prompts?: Readonly<Record<string, string>> | undefined;
  /** The name of the prompt that is taken where none is given. */
  readonly promptName?: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/** `pooling_mode` and the keys before version 6, in the order in which their vectors are joined. */
const poolingModes = [
  ['cls', 'pooling_mode_cls_token', 'cls'],
  ['max', 'pooling_mode_max_tokens', 'max'],
  ['mean', 'pooling_mode_mean_tokens', 'mean'],
  ['mean_sqrt_len_tokens', 'pooling_mode_mean_sqrt_len_tokens', 'mean-sqrt'],
  ['weightedmean', 'pooling_mode_weightedmean_tokens', 'weighted-mean'],
  ['lasttoken', 'pooling_mode_lasttoken', 'last'],
] as const satisfies readonly (readonly [string, string, Pooling])[];

/**
 * The settings of a folder of sentence-transformers: `modules.json`, the folders that it names, `sentence_bert_config.json`
 * and `config_sentence_transformers.json`. None where there is no `modules.json`.
 *
 * @throws InputError naming the file and the key that is not supported
 * @see https://sbert.net/docs/sentence_transformer/usage/custom_models.html
 */
export async function sentenceSettings(files: CheckpointFiles): Promise<SentenceSettings> {
  const modules = await openJson(files, 'modules.json');
  if (!modules) return {};
  if (!Array.isArray(modules.json)) {
    throw new InputError(`${modules.name}: ${quoted(modules.json)}; expected a list of modules`);
  }
  const steps = modules.json.map((module: Json) => ({
    kind: String(module?.type).split('.').at(-1)!,
    path: String(module?.path),
  }));
  const order = steps.map(({ kind }) => kind).filter((kind) => kind !== 'Dropout');
  if (
    !/^Transformer,Pooling(?:,Dense)*(?:,Normalize)?$/.test(order.join()) ||
    steps[0]!.path !== ''
  ) {
    throw new InputError(
      `${modules.name}: the modules are ${order.join(', ')}; expected Transformer with the path '', Pooling, any number of Dense, and Normalize or nothing`,
    );
  }
  const dense: DenseLayer[] = [];
  let pooling: Pooling[] = [];
  for (const { kind, path } of steps) {
    if (kind === 'Pooling') pooling = await poolingOf(files, path);
    else if (kind === 'Dense') dense.push(await denseOf(files, path));
  }
  return {
    pooling,
    dense,
    normalize: order.includes('Normalize'),
    ...(await lengthOf(files)),
    ...(await promptsOf(files)),
  };
}

async function documentOf(
  files: CheckpointFiles,
  path: string,
): Promise<{ json: Json; name: string }> {
  const found = /^\w+\/\w+\.json$/.test(path) ? await openJson(files, path) : undefined;
  if (typeof found?.json === 'object' && found.json !== null)
    return found as { json: Json; name: string };
  throw new InputError(`${path}: is missing or not an object; modules.json names its folder`);
}

async function poolingOf(files: CheckpointFiles, path: string): Promise<Pooling[]> {
  const { json, name } = await documentOf(files, `${path}/config.json`);
  const known = [
    'word_embedding_dimension',
    'embedding_dimension',
    'pooling_mode',
    'include_prompt',
  ];
  for (const [key, value] of Object.entries(json)) {
    const isKnown = known.includes(key) || poolingModes.some(([, before]) => before === key);
    if (!isKnown)
      throw new InputError(`${name}: key '${key}' is not known; expected ${known.join(', ')}`);
    if (key === 'include_prompt' && value !== true) {
      throw new InputError(`${name}: include_prompt is ${quoted(value)}; expected true`);
    }
  }
  if (json.pooling_mode === undefined) {
    const found = poolingModes
      .filter(([, key]) => json[key] === true)
      .map(([, , pooling]) => pooling);
    return found.length > 0 ? found : ['mean'];
  }
  return [json.pooling_mode].flat().map((mode) => {
    const found = poolingModes.find(([now]) => now === mode);
    if (found) return found[2];
    const expected = poolingModes.map(([now]) => now).join(', ');
    throw new InputError(`${name}: pooling_mode is ${quoted(mode)}; expected ${expected}`);
  });
}

/** A layer `[in] → [out]`, its weights read from the `model.safetensors` of its folder. */
async function denseOf(files: CheckpointFiles, path: string): Promise<DenseLayer> {
  const { json, name } = await documentOf(files, `${path}/config.json`);
  const {
    in_features: inputs,
    out_features: outputs,
    bias = true,
    use_residual: residual = false,
  } = json;
  const activation = String(json.activation_function ?? 'torch.nn.modules.activation.Tanh')
    .split('.')
    .at(-1)!;
  const isLayer = [inputs, outputs].every(
    (size) => Number.isSafeInteger(size) && (size as number) > 0,
  );
  const names = [json.module_input_name, json.module_output_name];
  if (
    names.some((one) => one !== undefined && one !== 'sentence_embedding') ||
    residual !== false
  ) {
    throw new InputError(`${name}: expected module names 'sentence_embedding' and no use_residual`);
  }
  if (!isLayer || !Object.hasOwn(denseActivations, activation)) {
    throw new InputError(
      `${name}: in_features is ${quoted(inputs)}, out_features ${quoted(outputs)}, activation_function ${quoted(activation)}; expected sizes, and one of ${Object.keys(denseActivations).join(', ')}`,
    );
  }
  const params = new ParamStore();
  try {
    const [rows, columns] = [outputs as number, inputs as number];
    const weight = params.at('linear').get('weight', [rows, columns], initializers.zeros);
    const offset = bias ? params.at('linear').get('bias', [rows], initializers.zeros) : undefined;
    await loadParams(
      { name: `${files.name}/${path}`, open: (file) => files.open(`${path}/${file}`) },
      params,
    );
    return {
      shape: [rows, columns],
      weight: Float32Array.from(await readTensor(weight)),
      bias: offset && Float32Array.from(await readTensor(offset)),
      activation: activation as DenseLayer['activation'],
    };
  } finally {
    params.dispose();
  }
}

async function lengthOf(
  files: CheckpointFiles,
): Promise<Pick<SentenceSettings, 'maxLength' | 'lowerCase'>> {
  const { json = {} } = ((await openJson(files, 'sentence_bert_config.json')) ?? {}) as {
    json?: Json;
  };
  // Since version 6 the length is the tokenizer's.
  const tokenizer = (await openJson(files, 'tokenizer_config.json'))?.json as Json | undefined;
  const maxLength = json.max_seq_length ?? tokenizer?.model_max_length;
  return {
    ...(Number.isSafeInteger(maxLength) ? { maxLength: maxLength as number } : {}),
    lowerCase: json.do_lower_case === true,
  };
}

async function promptsOf(
  files: CheckpointFiles,
): Promise<Pick<SentenceSettings, 'prompts' | 'promptName'>> {
  const found = await openJson(files, 'config_sentence_transformers.json');
  const { prompts = {}, default_prompt_name: promptName } = (found?.json ?? {}) as {
    prompts?: Record<string, string>;
    default_prompt_name?: string | null;
  };
  return { prompts, ...(promptName ? { promptName } : {}) };
}
