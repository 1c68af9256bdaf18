import { InputError, quoted } from '@headwise/core';
import { z } from 'zod';
import { parseWith } from '../parse-with.js';

/** PEFT's `adapter_config.json` of a LoRA adapter, as far as it says what is computed. */
export interface PeftConfig {
  [key: string]: unknown;
  peft_type: 'LORA';
  task_type: string | null;
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  /** A pattern of whole module names, or names and ends of names. */
  target_modules: string | string[];
  exclude_modules: string | string[] | null;
  layers_to_transform: number | number[] | null;
  layers_pattern: string | string[] | null;
  /** Ranks of modules whose name a pattern matches to its end, the first pattern first. */
  rank_pattern: Record<string, number>;
  alpha_pattern: Record<string, number>;
  /** Which biases of the model the adapter has trained. */
  bias: 'none' | 'all' | 'lora_only';
  /** Whether the map of B has a bias. */
  lora_bias: boolean;
  use_rslora: boolean;
  use_dora: boolean;
  modules_to_save: string[];
}

const names = z.union([z.string(), z.array(z.string())]);
const rank = z.number().int().min(1);
const absent = z.null().default(null);
const off = z.literal(false).default(false);

/** Ways to start A and B that leave the model's weights as they are. */
const startsBeside = [true, false, 'gaussian', 'orthogonal', 'eva'];

const schema = z.looseObject({
  peft_type: z.literal('LORA'),
  task_type: z.string().nullable().default(null),
  r: rank.default(8),
  lora_alpha: z.number().default(8),
  lora_dropout: z.number().min(0).lt(1).default(0),
  target_modules: names,
  exclude_modules: names.nullable().default(null),
  layers_to_transform: z
    .union([z.number().int(), z.array(z.number().int())])
    .nullable()
    .default(null),
  layers_pattern: names.nullable().default(null),
  rank_pattern: z.record(z.string(), rank).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  bias: z.enum(['none', 'all', 'lora_only']).default('none'),
  lora_bias: z.boolean().default(false),
  use_rslora: z.boolean().default(false),
  use_dora: z.boolean().default(false),
  modules_to_save: z.array(z.string()).nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).default(true),
  // Follows from the modules, as in PEFT.
  fan_in_fan_out: z.boolean().optional(),
  // Of modules whose tensors two modules share; those are refused by name.
  ensure_weight_tying: z.boolean().default(false),
  // Variants that are not built: refused, not ignored.
  use_qalora: off,
  megatron_config: absent,
  trainable_token_indices: absent,
  velora_config: absent,
  alora_invocation_tokens: absent,
  monteclora_config: absent,
  layer_replication: absent,
  target_parameters: z.union([z.null(), z.array(z.string()).max(0)]).default(null),
  use_bdlora: z.union([z.null(), z.literal(false)]).default(null),
  arrow_config: absent,
  kasa_config: absent,
});

/** Keys that change nothing of a trained adapter: where it comes from, and how A and B started. */
const withoutEffect = [
  'auto_mapping',
  'base_model_name_or_path',
  'corda_config',
  'eva_config',
  'inference_mode',
  'loftq_config',
  'lora_ga_config',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
  'runtime_config',
];

/** What PEFT trains and saves beside the adapter for a task, whatever the configuration says. */
const savedForTask: Readonly<Record<string, readonly string[]>> = {
  SEQ_CLS: ['classifier', 'score'],
  TOKEN_CLS: ['classifier', 'score'],
  QUESTION_ANS: ['qa_outputs'],
};

/**
 * Reads PEFT's `adapter_config.json`: every key of `LoraConfig` is honoured, has no effect on a trained adapter, or is
 * refused by its name.
 *
 * @throws InputError naming the key, what it holds and what was expected
 * @see https://huggingface.co/docs/peft/v0.21.0/package_reference/lora
 */
export function parsePeftConfig(json: unknown, name: string): PeftConfig {
  const config = parseWith(schema, json, name);
  const known = new Set([...Object.keys(schema.shape), ...withoutEffect]);
  for (const [key, value] of Object.entries(config)) {
    if (known.has(key) || isNeutral(value)) continue;
    throw new InputError(
      `${name}: '${key}' is ${quoted(value)}; PEFT 0.21.2 has no such key, so it may change what the adapter computes`,
    );
  }
  checkStart(config.init_lora_weights, name);
  checkLayers(config, name);
  if (config.use_dora && config.lora_bias) {
    throw new InputError(`${name}: 'use_dora' and 'lora_bias' are true; DoRA has no bias of B`);
  }
  const saved = [
    ...(config.modules_to_save ?? []),
    ...(savedForTask[config.task_type ?? ''] ?? []),
  ];
  return {
    ...config,
    rank_pattern: config.rank_pattern ?? {},
    alpha_pattern: config.alpha_pattern ?? {},
    modules_to_save: [...new Set(saved)],
  };
}

/** Whether a value switches nothing on. */
function isNeutral(value: unknown): boolean {
  if (value === null || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function checkStart(start: boolean | string, name: string): void {
  if (startsBeside.includes(start)) return;
  const given = `${name}: 'init_lora_weights' is ${quoted(start)}`;
  if (start === 'mica') {
    throw new InputError(
      `${given}, whose B is not trained; expected one of ${startsBeside.join(', ')}`,
    );
  }
  throw new InputError(
    `${given}, which changes the weights of the model that the adapter is beside; expected an adapter that is saved with PEFT's path_initial_model_for_weight_conversion, or the weights with the adapter merged in`,
  );
}

function checkLayers(config: z.output<typeof schema>, name: string): void {
  const { layers_to_transform: layers, layers_pattern: pattern, target_modules: targets } = config;
  if (typeof targets === 'string' && (layers !== null || pattern !== null)) {
    const key = layers !== null ? 'layers_to_transform' : 'layers_pattern';
    throw new InputError(
      `${name}: '${key}' is ${quoted(config[key])}; it goes with a list of 'target_modules', which is the pattern ${quoted(targets)}`,
    );
  }
  if (layers === null && pattern !== null && pattern.length > 0) {
    throw new InputError(
      `${name}: 'layers_pattern' is ${quoted(pattern)}; it goes with 'layers_to_transform', which is missing`,
    );
  }
}
