import { InputError, type LanguageModel, type ParamStore } from '@headwise/core';
import { activationNames, attentionMaps } from '@headwise/inspect';
import type { Tokenizer } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { getRun } from '../store/database.js';
import { loadFolder } from './model-files.js';
import { keyOfSource, type ModelInfo, type ModelSource } from './model-source.js';
import { savedModel } from './saved-model.js';
import type { Trainer } from './trainer.js';

/** A model that can be asked. */
export interface OpenModel {
  name: string;
  network: LanguageModel;
  tokenizer: Tokenizer;
  step?: number;
}

interface Loaded extends OpenModel {
  params: ParamStore;
}

/** Models that stay loaded; the one not used for longest goes first. */
const mostLoaded = 3;

/** The models to look into: runs as they are now, and checkpoints, loaded when they are first asked for. */
export class Models {
  readonly #loaded = new Map<string, Promise<Loaded>>();
  readonly #trainer: Trainer;
  readonly #bundled: () => string;

  /** @param bundled the address of the checkpoint that comes with the lab */
  constructor(trainer: Trainer, bundled: () => string) {
    this.#trainer = trainer;
    this.#bundled = bundled;
  }

  /** @throws InputError naming what is missing or wrong */
  async open(source: ModelSource): Promise<OpenModel> {
    if (source.kind === 'run') {
      const training = this.#trainer.training(source.run);
      if (training) {
        const { session, tokenizer } = training;
        const { network } = session.model;
        return { name: source.run, network, tokenizer, step: session.step };
      }
    }
    const key = await this.#keyOf(source);
    const loaded = this.#loaded.get(key) ?? this.#load(source);
    this.#loaded.delete(key);
    this.#loaded.set(key, loaded);
    try {
      const model = await loaded;
      this.#forgetOldest();
      return model;
    } catch (error) {
      this.#loaded.delete(key);
      throw error;
    }
  }

  async info(source: ModelSource): Promise<ModelInfo> {
    const { network, name, step } = await this.open(source);
    const ids = tf.tensor2d([[0, 0]], [1, 2], 'int32');
    try {
      const paths = activationNames(network, ids)
        .filter((activation) => activation.endsWith('.pattern'))
        .map((activation) => activation.replace(/\.pattern$/, ''));
      const maps = await attentionMaps(network, ids, { rows: [0] });
      const parameters = await this.#parametersOf(source);
      return {
        name,
        vocabSize: network.vocabSize,
        maxLength: network.maxLength,
        parameters,
        layers: paths.map((path) => ({
          path,
          heads: maps.find(({ layer }) => layer === path)?.heads.length ?? 0,
        })),
        ...(step === undefined ? {} : { step }),
      };
    } finally {
      ids.dispose();
    }
  }

  /** Forgets every model: the device that held them is gone. */
  clear(): void {
    this.#loaded.clear();
  }

  async #parametersOf(source: ModelSource): Promise<number> {
    const training = source.kind === 'run' ? this.#trainer.training(source.run) : undefined;
    if (training) return training.session.model.params.count();
    return (await this.#loaded.get(await this.#keyOf(source)))?.params.count() ?? 0;
  }

  /** A run that went on is another model. */
  async #keyOf(source: ModelSource): Promise<string> {
    const key = keyOfSource(source);
    if (source.kind !== 'run') return key;
    return `${key}@${(await getRun(source.run))?.checkpoint ?? 0}`;
  }

  async #load(source: ModelSource): Promise<Loaded> {
    if (source.kind === 'run') return loadRun(source.run);
    const name =
      source.kind === 'bundled'
        ? 'Moby-Dick, small'
        : source.kind === 'url'
          ? new URL(source.url).pathname.replace(/^\/|\/$/g, '')
          : source.name;
    const { model, tokenizer } = await loadFolder(name, source, this.#bundled());
    return { name, network: model.network, params: model.params, tokenizer };
  }

  #forgetOldest(): void {
    while (this.#loaded.size > mostLoaded) {
      const [key, loaded] = this.#loaded.entries().next().value!;
      this.#loaded.delete(key);
      void loaded.then(({ params }) => params.dispose());
    }
  }
}

/** The model of a run that is not training now, from its saved state. */
async function loadRun(run: string): Promise<Loaded> {
  const record = await getRun(run);
  if (!record) throw new InputError('this run does not exist any more; choose another model');
  const { model, tokenizer } = await savedModel(record);
  const { network, params } = model;
  return { name: record.name, network, params, tokenizer, step: record.checkpoint! };
}
