import { InputError, type ParamSource, readTensor } from '@headwise/core';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import { z } from 'zod';
import { parseWith } from '../config.js';
import { type KeyPlace, placeOf } from '../family.js';
import type { Model } from '../model.js';
import { giveRows, takeRows } from '../row-order.js';
import { Lora } from './lora.js';

/** PEFT's `adapter_config.json`, as far as it says what is computed. */
export interface PeftConfig {
  [key: string]: unknown;
  peft_type: 'LORA';
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  target_modules: string | string[];
}

const schema: z.ZodType<PeftConfig> = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.number().int().min(1),
  lora_alpha: z.number(),
  lora_dropout: z.number().min(0).lt(1).default(0),
  target_modules: z.union([z.string(), z.array(z.string()).min(1)]),
  // Variants that are not built: refused, not ignored.
  bias: z.literal('none').default('none'),
  use_rslora: z.literal(false).default(false),
  use_dora: z.literal(false).default(false),
  modules_to_save: z.null().default(null),
  rank_pattern: z.strictObject({}).nullish(),
  alpha_pattern: z.strictObject({}).nullish(),
});

/** Before the key of every module of the model in a PEFT checkpoint. */
const prefix = 'base_model.model.';

/** Where the weight of a linear map lies in Hugging Face's checkpoints. */
const weightPlace = ({ family, config }: Model, path: string): KeyPlace =>
  placeOf(family.keys(config), `${path}.weight`);

/** Hugging Face's name of a linear map. */
const moduleOf = (model: Model, path: string): string =>
  weightPlace(model, path).key.replace(/\.weight$/, '');

/** The configuration of an adapter in PEFT's layout. */
export function peftConfig(model: Model, lora: Lora): Record<string, unknown> {
  const matrices = model.params.matrices();
  return {
    peft_type: 'LORA',
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    target_modules: lora.paths.map((path) => moduleOf(model, path)),
    bias: 'none',
    // PyTorch's Linear lies [out, in]; Conv1D, of GPT-2, [in, out].
    fan_in_fan_out: lora.paths.some((path) => matrices[`${path}.weight`]!.layout === 'in-out'),
    inference_mode: true,
    task_type: null,
  };
}

/** The tensors of an adapter by PEFT's keys; each is read from the backend when it is written. */
export function peftTensors(model: Model, lora: Lora): Record<string, LazyTensorInput> {
  return Object.fromEntries(
    Object.entries(lora.params.named()).map(([path, variable]) => {
      const { key, rows } = peftPlace(model, path);
      const data = async () => {
        const values = (await readTensor(variable)) as Float32Array;
        return rows ? giveRows(values, rows()) : values;
      };
      return [key, { dtype: 'F32', shape: variable.shape, data }];
    }),
  );
}

/**
 * An adapter from PEFT's files.
 *
 * @param name names the configuration in errors
 * @throws InputError for another kind of adapter, modules that the model lacks, and tensors that are missing, left over or of another shape
 */
export function loraFromPeft(
  model: Model,
  json: unknown,
  file: SafetensorsFile,
  name = 'adapter_config.json',
): Lora {
  const config = parseWith(schema, json, name);
  const unused = new Set(file.tensors.keys());
  const source: ParamSource = {
    read(path, shape) {
      const { key, rows } = peftPlace(model, path);
      if (!file.tensors.has(key))
        throw new InputError(`${name}: the adapter has no tensor '${key}'`);
      const tensor = file.get(key);
      if (tensor.shape.join() !== shape.join()) {
        throw new InputError(
          `${name}: tensor '${key}' has shape [${tensor.shape.join(', ')}]; expected [${shape.join(', ')}]`,
        );
      }
      unused.delete(key);
      const values = toFloat32(tensor, { file: name, key });
      return rows ? takeRows(values, rows()) : values;
    },
  };
  const targets = targetPaths(model, config.target_modules, name);
  const lora = new Lora(model.params, {
    rank: config.r,
    alpha: config.lora_alpha,
    dropout: config.lora_dropout,
    targets: new RegExp(`^(${targets.map(escaped).join('|')})$`),
    source,
  });
  if (unused.size > 0) {
    lora.params.dispose();
    throw new InputError(`${name}: the model has no place for ${[...unused].join(', ')}`);
  }
  return lora;
}

/** The paths of the linear maps that PEFT's `target_modules` names: whole names, last parts, or a pattern. */
function targetPaths(model: Model, targets: string | string[], name: string): string[] {
  const maps = Object.keys(model.params.matrices()).map((path) =>
    path.slice(0, path.lastIndexOf('.')),
  );
  const fits =
    typeof targets === 'string'
      ? (module: string) => new RegExp(`^(?:${targets})$`).test(module)
      : (module: string) => targets.some((t) => module === t || module.endsWith(`.${t}`));
  const found = maps.filter((path) => fits(moduleOf(model, path)));
  if (found.length > 0) return found;
  throw new InputError(
    `${name}: 'target_modules' is ${JSON.stringify(targets)}; no linear map of the model is called so`,
  );
}

/**
 * `blocks.0.attn.qkv.loraA` → `base_model.model.transformer.h.0.attn.c_attn.lora_A.weight`.
 *
 * The rows of B are those of the weight.
 */
function peftPlace(model: Model, path: string): KeyPlace {
  const at = path.lastIndexOf('.');
  const letter = path.slice(at + 1) === 'loraA' ? 'A' : 'B';
  const map = path.slice(0, at);
  const key = `${prefix}${moduleOf(model, map)}.lora_${letter}.weight`;
  return { key, rows: letter === 'B' ? weightPlace(model, map).rows : undefined };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
