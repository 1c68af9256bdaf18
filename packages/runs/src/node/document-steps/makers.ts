import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { type BackendName, InputError, isLanguageModel } from '@headwise/core';
import {
  DataError,
  type Document,
  type MeasuredOutcome,
  type Step,
  type StepMaker,
  type StepTools,
  settingsOver,
} from '@headwise/data';
import { tokenizerHash } from '@headwise/data/node';
import { start } from '@headwise/kernels';
import type { Model } from '@headwise/models';
import { modelParts } from '@headwise/models/internal';
import { loadModel, readJson } from '@headwise/models/node';
import type { Tokenizer } from '@headwise/tokenizers';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { classNames } from '../../finetune/classes.js';
import { encodeWithin } from '../../finetune/lesson.js';
import { runFileNames } from '../../run-files.js';
import { classProbabilities } from '../../scores/class-probabilities.js';
import { perplexities } from '../../scores/perplexities.js';
import { weightsHash } from '../finetune-files.js';

/** What the steps need besides their options. */
export interface ModelStepOptions {
  /** What models compute on. The main thread's must be started; other threads start it. */
  readonly backend: BackendName;
}

/** Steps that ask a model: `classifier` and `perplexity`. */
export function stepMakers({ backend }: ModelStepOptions): Record<string, StepMaker> {
  return {
    classifier: (given, place, tools) => classifierStep(given, place, { ...tools, backend }),
    perplexity: (given, place, tools) => perplexityStep(given, place, { ...tools, backend }),
  };
}

type Given = Readonly<Record<string, unknown>>;
type Tools = StepTools & ModelStepOptions;

/** Documents that a model reads at once; texts of like length are read in one pass. */
const batch = 64;

const classifierDefaults = {
  model: '',
  label: '',
  threshold: 0.5,
  maxTokens: 1024,
  store: '',
};

/** Twenty bins from 0 to 1. */
const shareEdges = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);

/**
 * `{ "step": "classifier", "model": DIR, "label": "good", "threshold": 0.5 }` keeps documents to which a model of
 * `finetune --method classify` gives a label at least that probability.
 */
async function classifierStep(given: Given, place: string, tools: Tools): Promise<Step> {
  const options = settingsOver(classifierDefaults, given, place);
  const { threshold = classifierDefaults.threshold, store } = options;
  const model = nameOf(options, 'model', 'the folder of a model', place);
  const wanted = nameOf(options, 'label', 'one of its labels', place);
  if (threshold === null || threshold > 1) {
    throw new DataError(`${place}: threshold is ${threshold}; expected a number from 0 to 1`);
  }
  const { json, parts } = await configurationOf(model, place);
  const names = classNames(json);
  if (parts.head?.kind !== 'sequence-classification' || !names) {
    throw new DataError(
      `${place}: ${model} does not classify texts: its head is '${parts.head?.kind ?? 'none'}'; expected a model of finetune --method classify`,
    );
  }
  const label = names.indexOf(wanted);
  if (label < 0) {
    throw new DataError(
      `${place}: label is ${JSON.stringify(wanted)}; the labels of ${model} are ${names.join(', ')}`,
    );
  }
  await dependOn(model, tools);
  const most = options.maxTokens ?? (await trainedLength(model));
  return modelStep({
    name: 'classifier',
    measure: { name: `probability of ${wanted}`, edges: shareEdges },
    folder: model,
    backend: tools.backend,
    store,
    async score({ model: loaded, tokenizer }, texts) {
      const maxLength = Math.min(loaded.network.maxLength, most);
      const sequences = texts.map((text) => encodeWithin(tokenizer, text, maxLength).encoding.ids);
      const read = sequences.filter((ids) => ids.length > 0);
      const probabilities = (await classProbabilities(loaded, read)).values();
      return sequences.map((ids) =>
        ids.length === 0 ? undefined : probabilities.next().value![label]!,
      );
    },
    ruleOf: (value) =>
      value === undefined
        ? 'classifier_no_tokens'
        : value < threshold
          ? `classifier_not_${wanted}`
          : undefined,
  });
}

const perplexityDefaults = { model: '', min: 1, max: 1000, maxTokens: 1024, store: '' };

/** Two bins an octave, from 1 to 2^20. */
const octaveEdges = Array.from({ length: 41 }, (_, i) => 2 ** (i / 2));

/**
 * `{ "step": "perplexity", "model": DIR, "max": 500 }` keeps documents whose perplexity a token under a language model is within bounds,
 * as CCNet keeps those that are likely under a model of Wikipedia.
 *
 * @see Wenzek et al. 2019, CCNet, section 3.4, https://arxiv.org/abs/1911.00359
 */
async function perplexityStep(given: Given, place: string, tools: Tools): Promise<Step> {
  const options = settingsOver(perplexityDefaults, given, place);
  const { min = null, max = null, store } = options;
  const model = nameOf(options, 'model', 'the folder of a model', place);
  if (min === null && max === null) {
    throw new DataError(`${place}: min and max are missing; expected a bound of the perplexity`);
  }
  if (min !== null && max !== null && min > max) {
    throw new DataError(`${place}: min is ${min} and max ${max}; expected min up to max`);
  }
  const { parts } = await configurationOf(model, place);
  const { topology } = parts;
  const kind = parts.head?.kind ?? 'language-model';
  if (topology !== 'decoder' || !['language-model', 'adaptive'].includes(kind)) {
    throw new DataError(
      `${place}: ${model} does not predict the next token: its topology is '${topology}' and its head '${kind}'; expected a language model`,
    );
  }
  await dependOn(model, tools);
  const most = options.maxTokens ?? Number.POSITIVE_INFINITY;
  return modelStep({
    name: 'perplexity',
    measure: { name: 'perplexity', edges: octaveEdges },
    folder: model,
    backend: tools.backend,
    store,
    async score({ model: { network }, tokenizer }, texts) {
      if (!isLanguageModel(network)) throw new InputError(`${model}: is not a language model`);
      const plain = { truncation: null, padding: null };
      const sequences = texts.map((text) => tokenizer.encode(text, plain).ids.slice(0, most));
      return perplexities(network, sequences);
    },
    ruleOf(value) {
      if (value === undefined) return 'perplexity_too_short';
      if (min !== null && value < min) return 'perplexity_below_min';
      return max !== null && value > max ? 'perplexity_above_max' : undefined;
    },
  });
}

interface Loaded {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
}

interface ModelStep {
  readonly name: string;
  readonly measure: Step['measure'];
  readonly folder: string;
  readonly backend: BackendName;
  /** The field of `meta` for what is measured; empty for none. */
  readonly store: string | null | undefined;
  readonly score: (
    loaded: Loaded,
    texts: readonly string[],
  ) => Promise<readonly (number | undefined)[]>;
  readonly ruleOf: (value: number | undefined) => string | undefined;
}

/** A step whose model is loaded with its first documents. */
function modelStep({ name, measure, folder, backend, store, score, ruleOf }: ModelStep): Step {
  let loading: Promise<Loaded> | undefined;
  let loaded: Loaded | undefined;
  const load = async () => {
    if (!isMainThread) await start({ prefer: backend });
    // First what may be missing: a model that is loaded holds memory until the step is disposed of.
    const tokenizer = await loadTokenizer(folder);
    loaded = { model: await loadModel(folder), tokenizer };
    return loaded;
  };
  return {
    name,
    batch,
    measure,
    async apply(documents) {
      loading ??= load();
      const values = await score(
        await loading,
        documents.map(({ text }) => text),
      );
      return documents.map((document, n): MeasuredOutcome => {
        const value = values[n];
        // No bound holds or fails for it, so that every document would stay.
        if (Number.isNaN(value)) {
          throw new DataError(
            `${name}: document ${document.id} has ${value} as ${measure?.name} by ${folder}; expected a number: the model's scores are too large for 32 bits`,
          );
        }
        const outcome = ruleOf(value) ?? withValue(document, store, value);
        return { outcome, value };
      });
    },
    dispose: () => loaded?.model.params.dispose(),
  };
}

function withValue(
  document: Document,
  field: string | null | undefined,
  value: number | undefined,
): Document {
  if (!field || value === undefined) return document;
  return { ...document, meta: { ...document.meta, [field]: value } };
}

function nameOf(options: Given, key: string, expected: string, place: string): string {
  const value = options[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new DataError(`${place}: ${key} is ${JSON.stringify(value)}; expected ${expected}`);
}

async function configurationOf(folder: string, place: string) {
  const path = join(folder, 'config.json');
  const json = await readJson(path).catch((cause) => {
    throw new DataError(`${place}: ${cause.message}`, { cause });
  });
  return { json, parts: modelParts(json, path) };
}

/** Names the model's weights, its configuration and its tokenizer, and the backend, whose sums differ in their last bits. */
async function dependOn(folder: string, { depends, backend }: Tools): Promise<void> {
  if (!depends) return;
  const hash = createHash('sha256')
    .update(await weightsHash(folder))
    .update(JSON.stringify(await readJson(join(folder, 'config.json'))))
    .update(tokenizerHash(await loadTokenizer(folder)));
  depends(folder, hash.digest('hex'));
  depends('backend', backend);
}

/** The most tokens of an example that a model of `headwise finetune` saw, which its folder says. */
async function trainedLength(folder: string): Promise<number> {
  const path = join(folder, runFileNames.config);
  const json = existsSync(path) ? await readJson(path) : undefined;
  const { data } = (json ?? {}) as { data?: { maxLength?: unknown } };
  return typeof data?.maxLength === 'number' ? data.maxLength : Number.POSITIVE_INFINITY;
}
