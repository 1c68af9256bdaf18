import { InputError } from '@headwise/core';
import type { ExampleOf } from '@headwise/data';
import { modelParts } from '@headwise/models/internal';

/** The names of a classifier's classes by number, `id2label` of its configuration; undefined where it has none. */
export function classNames(config: unknown): string[] | undefined {
  const { id2label } = (config ?? {}) as { id2label?: Readonly<Record<string, string>> | null };
  if (!id2label) return undefined;
  return Object.keys(id2label)
    .sort((a, b) => Number(a) - Number(b))
    .map((id) => id2label[id]!);
}

/**
 * The `config.json` of a model as that of a classifier of some examples: with a new head where its own does not know their labels.
 *
 * @throws InputError where its architecture is not named, so that its head cannot be exchanged, or its family has no such head
 */
export function classifierConfig(json: unknown, examples: readonly ExampleOf['label'][]): unknown {
  const { architectures, num_labels: _, ...others } = json as Record<string, unknown>;
  const [architecture] = Array.isArray(architectures) ? architectures : [];
  const names = [...new Set(examples.map(({ label }) => label))].sort();
  const known = classNames(json);
  if (/ForSequenceClassification$/.test(String(architecture))) {
    if (known && names.every((name) => known.includes(name))) return json;
  }
  const [, family] =
    /^([A-Z]\w*?)(?:For[A-Z]\w*|Model|LMHeadModel)$/.exec(String(architecture)) ?? [];
  if (!family) {
    throw new InputError(
      `config.json: 'architectures' is ${JSON.stringify(architectures)}, of the model type ${JSON.stringify(others.model_type)}; expected that of an encoder, which names its head, such as BertForMaskedLM`,
    );
  }
  const made = {
    ...others,
    architectures: [`${family}ForSequenceClassification`],
    id2label: Object.fromEntries(names.map((name, id) => [id, name])),
    label2id: Object.fromEntries(names.map((name, id) => [name, id])),
  };
  if (isReadable(json) && !isReadable(made)) {
    throw new InputError(
      `config.json: 'architectures' is ${JSON.stringify(architectures)}, of the model type ${JSON.stringify(others.model_type)}, which has no head that classifies texts here; expected an encoder, such as BERT or RoBERTa, or GPT-2`,
    );
  }
  return made;
}

/** Whether a `config.json` is that of a model. */
function isReadable(json: unknown): boolean {
  try {
    modelParts(json);
    return true;
  } catch {
    return false;
  }
}
