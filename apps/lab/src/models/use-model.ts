import { useEffect, useState } from 'react';
import { lab } from '../lab.js';
import { keyOfSource, type ModelInfo, type ModelSource } from '../worker/model-source.js';

/** What is known of a model, or why it cannot be opened. */
export interface OpenedModel {
  info: ModelInfo | undefined;
  problem: string | undefined;
}

export function useModel(source: ModelSource | undefined): OpenedModel {
  const key = source && keyOfSource(source);
  const [opened, setOpened] = useState<OpenedModel & { key: string | undefined }>({
    key: undefined,
    info: undefined,
    problem: undefined,
  });
  useEffect(() => {
    if (!source) return;
    let current = true;
    lab.call('model', [source]).then(
      (info) => current && setOpened({ key, info, problem: undefined }),
      (error: Error) => current && setOpened({ key, info: undefined, problem: error.message }),
    );
    return () => {
      current = false;
    };
  }, [key]);
  return opened.key === key ? opened : { info: undefined, problem: undefined };
}

/**
 * A model's sizes in words.
 *
 * @param step of what is shown, where a run has gone on since the sizes were read
 */
export function describe(info: ModelInfo, step = info.step): string {
  const { layers, maxLength, vocabSize, parameters } = info;
  const heads = layers[0]?.heads ?? 0;
  const trained = step === undefined ? '' : `, after ${step} steps`;
  return `${layers.length} layers of ${heads} heads, ${parameters.toLocaleString('en')} parameters, ${vocabSize.toLocaleString('en')} tokens in its vocabulary, ${maxLength} in its context${trained}.`;
}
