import { checkFinite, InputError, readTensor } from '@headwise/core';
import {
  fileTypes,
  type GgufMetadata,
  type GgufTensor,
  ggmlTypes,
  type WrittenType,
} from '@headwise/gguf';
import { checkModel } from '../check-model.js';
import { giveRows, transposed } from '../checkpoint/row-order.js';
import { joined } from '../checkpoint/tensors.js';
import { placeOf, shapeInFile } from '../family.js';
import type { Model } from '../model.js';
import type { GgufArchitecture } from './architecture.js';
import { bloomArchitecture } from './bloom.js';
import { falconArchitecture } from './falcon.js';
import { gpt2Architecture } from './gpt2.js';
import { rotaryArchitectures } from './rotary-families.js';

const architectures: Readonly<Record<string, (config: never) => GgufArchitecture>> = {
  gpt2: gpt2Architecture,
  bloom: bloomArchitecture,
  falcon: falconArchitecture,
  ...rotaryArchitectures,
};

/** The parts of a GGUF file that are a model's. */
export interface GgufModel {
  /** `general.*` but for the name, and the settings of the architecture. */
  metadata: GgufMetadata;
  tensors: Readonly<Record<string, GgufTensor>>;
}

/**
 * The architecture of llama.cpp that a configuration is of.
 *
 * @throws InputError for a family that it lacks, and for settings that its architecture does not have
 */
export function ggufArchitecture(modelType: string, config: unknown): GgufArchitecture {
  const make = Object.hasOwn(architectures, modelType) ? architectures[modelType] : undefined;
  if (make) return make(config as never);
  throw new InputError(
    `config.json: 'model_type' is '${modelType}'; GGUF is written for ${Object.keys(architectures).join(', ')}`,
  );
}

/**
 * A model for `streamGguf`, with the names, settings and orders of rows of llama.cpp.
 *
 * Matrices are of the type, vectors, norms and positions of `f32`. Rows that are not made of whole blocks get the widest type that
 * takes them, and of `q4_k` the tables of tokens and of scores are `q8_0`.
 *
 * @throws InputError for a family or a setting that llama.cpp lacks, and for a model that predicts no tokens; while a tensor is
 * read, for values that are not finite
 */
export function ggufModel(model: Model, type: WrittenType): GgufModel {
  checkModel('ggufModel', model);
  const { family, config } = model;
  const {
    name,
    settings,
    names,
    buffers = {},
    plusOne,
  } = ggufArchitecture(family.modelType, config);
  const { head } = family.preset(config);
  if (head.kind !== 'language-model') {
    throw new InputError(`the model has the head '${head.kind}'; expected 'language-model'`);
  }
  const matrices = model.params.matrices();
  const tensors: Record<string, GgufTensor> = {};
  for (const [key, values] of Object.entries(buffers)) {
    tensors[key] = { type: 'f32', shape: [values.length], values: () => values };
  }
  /** Of tensors that hold several parameters, what gives the values of each. */
  const parts: Record<string, (() => Promise<Float32Array>)[]> = {};
  for (const [path, variable] of Object.entries(model.params.named())) {
    const { key, rows, part, turned } = placeOf(names, path);
    const matrix = matrices[path];
    const own = turned && matrix ? [...variable.shape].reverse() : variable.shape;
    const shape = shapeInFile(own, part);
    const read = async () => {
      const values = (await readTensor(variable)) as Float32Array;
      checkFinite(`tensor '${key}'`, values);
      if (plusOne?.test(key)) return values.map((value) => value + 1);
      const ordered = own === variable.shape ? values : transposed(values, variable.shape);
      return rows ? giveRows(ordered, rows()) : ordered;
    };
    const all = parts[key] ?? [];
    parts[key] = all;
    all[part?.index ?? 0] = read;
    tensors[key] = {
      type: matrix ? typeFor(type, key, shape.at(-1)!) : 'f32',
      shape,
      values: part ? () => joined(all) : read,
    };
  }
  const metadata: GgufMetadata = {
    'general.architecture': ['string', name],
    'general.type': ['string', 'model'],
    ...Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`${name}.${key}`, value]),
    ),
    'general.file_type': ['u32', fileTypes[type]],
    'general.quantization_version': ['u32', 2],
  };
  return { metadata, tensors };
}

/** The type of a matrix whose rows have so many values. */
function typeFor(asked: WrittenType, key: string, row: number): WrittenType {
  const isTable = key === 'token_embd.weight' || key === 'output.weight';
  const first = asked === 'q4_k' && isTable ? 'q8_0' : asked;
  const order: WrittenType[] = first === 'q4_k' ? ['q4_k', 'q8_0', 'f16'] : [first, 'f16'];
  return order.find((type) => row % ggmlTypes[type].values === 0)!;
}
