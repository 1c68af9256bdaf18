import type { Held, KeyTable } from '../../family.js';

/** The parts of a model that belong to its head, by where their paths begin. */
const ofHead = /^(head|transform|score|nextSentence)\b/;

/**
 * A configuration without the head that scored tokens in pre-training, where the checkpoint has nothing of it: the folders of
 * sentence models name that class, and hold the body alone. Classifiers are as they say.
 *
 * @param bare the class without a head
 * @param table the keys of the whole model
 */
export function withoutLostHead<Config extends { readonly architectures: readonly [string] }>(
  config: Config,
  bare: string,
  table: KeyTable,
  { has }: Pick<Held, 'has'>,
): Config {
  if (!/For(MaskedLM|PreTraining)$/.test(config.architectures[0])) return config;
  const keys = table.filter(([ours]) => ofHead.test(ours)).map(([, theirs]) => theirs);
  const isThere = keys.some((key) => has(`${key}.weight`) || has(`${key}.bias`));
  return isThere ? config : { ...config, architectures: [bare] };
}
