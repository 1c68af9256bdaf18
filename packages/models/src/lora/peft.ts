import {
  checkFinite,
  InputError,
  isEncoderDecoder,
  type ParamSource,
  quoted,
  readTensor,
} from '@headwise/core';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import { checkModel } from '../check-model.js';
import { giveRows, takeRows } from '../checkpoint/row-order.js';
import { type KeyPlace, placeOf } from '../family.js';
import type { Model } from '../model.js';
import { Lora } from './lora.js';
import { type PeftConfig, parsePeftConfig } from './peft-config.js';
import { patternTable, savedTest, targetTest } from './peft-modules.js';

/** Before the key of every module of the model in a PEFT checkpoint. */
const prefix = 'base_model.model.';

/** PEFT's names of the tensors beside a linear map. */
const updateNames: Readonly<Record<string, string>> = {
  loraA: 'lora_A.weight',
  loraB: 'lora_B.weight',
  loraBias: 'lora_B.bias',
  loraMagnitude: 'lora_magnitude_vector',
};

/** Where a parameter of the model lies in Hugging Face's checkpoints; bare models lack the family's prefix. */
function basePlace({ family, config }: Model, path: string, bare: boolean): KeyPlace {
  const { key, ...place } = placeOf(family.keys(config), path);
  const { keyPrefix } = family;
  return { key: bare && key.startsWith(keyPrefix) ? key.slice(keyPrefix.length) : key, ...place };
}

const moduleOfKey = (key: string): string => key.slice(0, Math.max(0, key.lastIndexOf('.')));

/** The configuration of an adapter in PEFT's layout. */
export function peftConfig(model: Model, lora: Lora): Record<string, unknown> {
  const matrices = model.params.matrices();
  const module = (path: string) => moduleOfKey(basePlace(model, `${path}.weight`, false).key);
  const pattern = (size: 'rank' | 'alpha') =>
    Object.fromEntries(
      lora.paths
        .filter((path) => lora.sizesOf(path)[size] !== lora[size])
        .map((path) => [module(path), lora.sizesOf(path)[size]]),
    );
  return {
    peft_type: 'LORA',
    r: lora.rank,
    lora_alpha: lora.alpha,
    rank_pattern: pattern('rank'),
    alpha_pattern: pattern('alpha'),
    use_rslora: lora.rankStabilized,
    use_dora: lora.dora,
    lora_dropout: lora.dropout,
    lora_bias: lora.hasBias,
    target_modules: lora.paths.map(module),
    ...savedOf(model, lora),
    // PyTorch's Linear lies [out, in]; Conv1D, of GPT-2, [in, out].
    fan_in_fan_out: lora.paths.some((path) => matrices[`${path}.weight`]!.layout === 'in-out'),
    inference_mode: true,
    task_type: null,
  };
}

/** How PEFT calls the parameters that an adapter has copies of: whole modules, or biases. */
function savedOf(model: Model, lora: Lora): Record<'bias' | 'modules_to_save', unknown> {
  const copies = new Set(lora.copies);
  const all = parameterPaths(model);
  const isBias = (path: string) => keyOf(model, path).endsWith('.bias');
  const ofTargets = all.filter((path) => isBias(path) && lora.paths.includes(moduleOfKey(path)));
  const biases = all.filter(isBias);
  const covers = (paths: string[]) => paths.length > 0 && paths.every((path) => copies.has(path));
  const bias = covers(biases) ? 'all' : covers(ofTargets) ? 'lora_only' : 'none';
  for (const path of { all: biases, lora_only: ofTargets, none: [] }[bias]) copies.delete(path);
  // The weight of an updated map is saved with its update.
  const beside = [...copies].filter((path) => !lora.paths.includes(moduleOfKey(path)));
  const modules = new Set(beside.map((path) => moduleOfKey(keyOf(model, path))));
  for (const module of modules) {
    const left = all.find(
      (path) => moduleOfKey(keyOf(model, path)) === module && !lora.copies.includes(path),
    );
    if (left === undefined) continue;
    throw new InputError(
      `PEFT saves module '${module}' as a whole; the adapter has no copy of its parameter '${left}'`,
    );
  }
  return { bias, modules_to_save: modules.size > 0 ? [...modules] : null };
}

/** The tensors of an adapter by PEFT's keys; each is read from the backend when it is written. */
export function peftTensors(model: Model, lora: Lora): Record<string, LazyTensorInput> {
  checkModel('saveAdapter', model);
  if (lora.merged && (lora.dora || lora.copies.length > 0)) {
    throw new InputError(
      `LoRA: the adapter is merged, so that its ${lora.dora ? 'magnitudes are factors of the merged weights' : 'copies of parameters are those of the model'}; unmerge it first`,
    );
  }
  return Object.fromEntries(
    Object.entries(lora.params.named()).map(([path, variable]) => {
      const [{ key, rows }] = peftPlaces(model, lora.paths, path, false);
      const data = async () => {
        const values = (await readTensor(variable)) as Float32Array;
        checkFinite(`parameter '${path}'`, values);
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
 * @throws InputError for another kind of adapter, keys that would change what is computed, modules that the model
 * lacks, and tensors that are missing, left over, of another shape or not finite
 */
export function loraFromPeft(
  model: Model,
  json: unknown,
  file: SafetensorsFile,
  name = 'adapter_config.json',
): Lora {
  checkModel('loadAdapter', model);
  const config = parsePeftConfig(json, name);
  const keys = [...file.tensors.keys()];
  const { keyPrefix } = model.family;
  const bare = keys.length > 0 && !keys.some((key) => key.startsWith(prefix + keyPrefix));
  const modules = new Map(
    linearPaths(model).map((path) => [
      path,
      moduleOfKey(basePlace(model, `${path}.weight`, bare).key),
    ]),
  );
  const isTarget = targetTest(config, (module) => module === modules.get('head'), name);
  const paths = [...modules].flatMap(([path, module]) => (isTarget(module) ? [path] : []));
  if (paths.length === 0) {
    throw new InputError(
      `${name}: 'target_modules' is ${quoted(config.target_modules)}; no linear map of the model has this name`,
    );
  }
  const rankOf = patternTable(config.rank_pattern, 'rank_pattern', name);
  const alphaOf = patternTable(config.alpha_pattern, 'alpha_pattern', name);
  const overrides = Object.fromEntries(
    paths.map((path) => {
      const module = modules.get(path)!;
      const [rank, alpha] = [rankOf(module), alphaOf(module)];
      return [path, { ...(rank && { rank }), ...(alpha !== undefined && { alpha }) }];
    }),
  );
  const { source, unused } = adapterSource(model, config, paths, file, name, bare);
  const lora = new Lora(model.params, {
    rank: config.r,
    alpha: config.lora_alpha,
    rankStabilized: config.use_rslora,
    dora: config.use_dora,
    dropout: config.lora_dropout,
    bias: config.lora_bias,
    targets: paths,
    overrides,
    copies: copiedPaths(model, config, paths, file, name, bare),
    source,
  });
  if (unused.size > 0) {
    lora.params.dispose();
    const embedding = [...unused].find((key) => key.includes('.lora_embedding_'));
    throw new InputError(
      embedding
        ? `${name}: 'target_modules' names an embedding, ${embedding.slice(prefix.length).replace(/\.lora_.*/, '')}; updates of linear maps alone are built`
        : `${name}: the model has no place for ${[...unused].slice(0, 20).join(', ')}${unused.size > 20 ? `, and ${unused.size - 20} others` : ''}`,
    );
  }
  return lora;
}

/** Reads the tensors of an adapter, and lists those that were not used. */
function adapterSource(
  model: Model,
  config: PeftConfig,
  targets: readonly string[],
  file: SafetensorsFile,
  name: string,
  bare: boolean,
): { source: ParamSource; unused: ReadonlySet<string> } {
  const unused = new Set([...file.tensors.keys()].filter((key) => !isWrittenTwice(config, key)));
  const copies = model.family.copies?.(model.config) ?? [];
  const source: ParamSource = {
    read(path, shape) {
      const places = peftPlaces(model, targets, path, bare);
      const place = places.find(({ key }) => file.tensors.has(key));
      if (!place) throw new InputError(`${name}: the adapter has no tensor '${places[0].key}'`);
      const { key, rows } = place;
      const tensor = file.get(key);
      if (tensor.shape.join() !== shape.join()) {
        throw new InputError(
          `${name}: tensor '${key}' has shape [${tensor.shape.join(', ')}]; expected [${shape.join(', ')}]`,
        );
      }
      unused.delete(key);
      const values = toFloat32(tensor, { file: name, key });
      const at = values.findIndex((value) => !Number.isFinite(value));
      if (at >= 0) {
        throw new InputError(
          `${name}: tensor '${key}' holds ${values[at]} at ${at}; expected finite values`,
        );
      }
      for (const [copy, of] of copies) {
        const other = prefix + copy;
        if (prefix + of !== key || !unused.has(other)) continue;
        const repeated = toFloat32(file.get(other), { file: name, key: other });
        if (values.every((value, i) => value === repeated[i])) unused.delete(other);
      }
      return rows ? takeRows(values, rows()) : values;
    },
  };
  return { source, unused };
}

/** Whether a tensor is a bias of a module that is saved whole, which PEFT writes again with the others and never reads. */
function isWrittenTwice(config: PeftConfig, key: string): boolean {
  if (config.bias !== 'all' || !key.endsWith('bias')) return false;
  const [module, inside] = key
    .slice(prefix.length)
    .split(/\.(?:modules_to_save|original_module)\./, 2) as [string, string?];
  return inside !== undefined && savedTest(config)(module);
}

/** The parameters of the model that an adapter has copies of: modules that are saved whole, and trained biases. */
function copiedPaths(
  model: Model,
  config: PeftConfig,
  targets: readonly string[],
  file: SafetensorsFile,
  name: string,
  bare: boolean,
): string[] {
  const isSaved = savedTest(config);
  const { bias, modules_to_save: saved } = config;
  const copied = parameterPaths(model).filter((path) => {
    // PEFT saves an output head with its update, and embeddings whose size has changed.
    if (peftPlaces(model, targets, path, bare).some((place) => file.tensors.has(place.key))) {
      return true;
    }
    const { key } = basePlace(model, path, bare);
    const parts = key.split('.').slice(0, -1);
    const above = parts.map((_, i) => parts.slice(0, i + 1).join('.'));
    if (above.some(isSaved)) return true;
    if (bias === 'none' || !key.endsWith('.bias')) return false;
    return bias === 'all' || targets.includes(moduleOfKey(path));
  });
  const table = copied.find((path) => path === 'tokens.weight');
  if (table && sharesTokens(model)) {
    throw new InputError(
      `${name}: 'modules_to_save' is ${quoted(saved)}: the adapter has a copy of '${keyOf(model, table)}', a table that the model uses in several places, where PEFT exchanges one of them`,
    );
  }
  if (copied.length === 0 && bias !== 'none') {
    throw new InputError(`${name}: 'bias' is "${bias}"; the model's linear maps have none`);
  }
  return copied;
}

/** Whether the table of tokens is an output head too, or that of an encoder and of a decoder. */
function sharesTokens(model: Model): boolean {
  const own = parameterPaths(model);
  const heads = ['head', 'score'].map((path) => `${path}.weight`);
  return isEncoderDecoder(model.network) || !heads.some((path) => own.includes(path));
}

const keyOf = (model: Model, path: string): string => basePlace(model, path, false).key;

const linearPaths = ({ params }: Model): string[] =>
  Object.entries(params.matrices())
    .filter(([, { table }]) => !table)
    .map(([path]) => moduleOfKey(path));

/** Every parameter of the model, packed ones included. */
const parameterPaths = ({ params }: Model): string[] => [
  ...new Set([...Object.keys(params.named()), ...Object.keys(params.matrices())]),
];

/**
 * Where a parameter of an adapter may lie in PEFT's files, the place to write first: `blocks.0.attn.qkv.loraA` →
 * `base_model.model.transformer.h.0.attn.c_attn.lora_A.weight`.
 *
 * The rows of B are those of the weight.
 */
function peftPlaces(
  model: Model,
  targets: readonly string[],
  path: string,
  bare: boolean,
): [KeyPlace, ...KeyPlace[]] {
  const at = path.lastIndexOf('.');
  const map = path.slice(0, at);
  const update = updateNames[path.slice(at + 1)];
  if (update) {
    const { key, rows } = wholePlace(model, `${map}.weight`, bare);
    const place = `${prefix}${moduleOfKey(key)}.${update}`;
    return [
      {
        key: place,
        part: undefined,
        rows: update === updateNames.loraA ? undefined : rows,
      },
    ];
  }
  const { key, ...place } = wholePlace(model, path, bare);
  const plain = { key: prefix + key, ...place };
  if (!targets.includes(map)) return [plain];
  const module = moduleOfKey(key);
  return [{ key: `${prefix}${module}.base_layer${key.slice(module.length)}`, ...place }, plain];
}

/** @throws InputError for a parameter that is a part of a module of Hugging Face's, which PEFT updates as one */
function wholePlace(model: Model, path: string, bare: boolean): KeyPlace {
  const place = basePlace(model, path, bare);
  if (!place.part) return place;
  throw new InputError(
    `PEFT updates module '${moduleOfKey(place.key)}' as one matrix, which '${path}' is one of ${place.part.of} parts of; expected an adapter of other modules`,
  );
}
