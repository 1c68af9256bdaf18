/** What a run's model is trained for on a text. */
export const runObjectives = [
  'causal-lm',
  'masked-lm',
  'next-sentence',
  'sentence-order',
  'span-corruption',
  'denoising',
] as const;

/** What a run's model is trained for on a text. */
export type RunObjective = (typeof runObjectives)[number];

/** Tokens that an objective writes into a text. */
export const objectiveTokens = {
  pad: '<pad>',
  mask: '<mask>',
  start: '<s>',
  end: '</s>',
  firstSentinel: '<extra_id_0>',
} as const;

const { pad, mask, start, end } = objectiveTokens;

/** What an objective needs of a model and its tokenizer. */
export interface ObjectiveNeeds {
  /** The models that learn it: their topology and what their head is. */
  topology: 'decoder' | 'encoder' | 'encoder-decoder';
  head(head: { kind: string; nextSentence?: boolean | undefined }): boolean;
  /** For errors: what is trained. */
  words: string;
  /** The first ids of the vocabulary. */
  specialTokens: readonly string[];
  /** The keys of `config.json` that name special tokens, where the families' usual ids are those of other vocabularies. */
  ids: Readonly<Record<string, string>>;
  /** What it learns from: windows over the text, or pairs of runs of sentences of its documents. */
  reads: 'windows' | 'sentences';
  /** Whether tokens are masked, by `data.masking`; default false. */
  masks?: true | undefined;
  /** Tokens that it adds to a window, whose place is in the context; default none. */
  added?: number | undefined;
}

/** Each sentinel has the id below that of the one before, as in T5. */
const sentinels = Array.from({ length: 100 }, (_, n) => `<extra_id_${99 - n}>`);

const sentences = {
  topology: 'encoder',
  head: ({ kind, nextSentence }) => kind === 'masked-language-model' && nextSentence === true,
  specialTokens: [pad, mask, start, end],
  ids: { pad_token_id: pad },
  reads: 'sentences',
  masks: true,
} as const satisfies Partial<ObjectiveNeeds>;

const pairs = {
  topology: 'encoder-decoder',
  head: ({ kind }) => kind === 'language-model',
  reads: 'windows',
} as const satisfies Partial<ObjectiveNeeds>;

/** What each objective needs. */
export const objectiveNeeds: Readonly<Record<RunObjective, ObjectiveNeeds>> = {
  'causal-lm': {
    topology: 'decoder',
    head: ({ kind }) => kind === 'language-model' || kind === 'adaptive',
    words:
      "runs train decoders that predict the next token, and by 'objective' encoders and encoder-decoders",
    specialTokens: [],
    ids: {},
    reads: 'windows',
  },
  'masked-lm': {
    topology: 'encoder',
    head: ({ kind, nextSentence }) => kind === 'masked-language-model' && !nextSentence,
    words: "'masked-lm' trains encoders such as BertForMaskedLM",
    specialTokens: [pad, mask],
    ids: { pad_token_id: pad },
    reads: 'windows',
    masks: true,
  },
  'next-sentence': {
    ...sentences,
    words: "'next-sentence' trains encoders such as BertForPreTraining",
  },
  'sentence-order': {
    ...sentences,
    words: "'sentence-order' trains encoders such as BertForPreTraining",
  },
  'span-corruption': {
    ...pairs,
    words: "'span-corruption' trains encoder-decoders such as T5",
    specialTokens: [pad, end, ...sentinels],
    ids: { pad_token_id: pad, eos_token_id: end, decoder_start_token_id: pad },
  },
  denoising: {
    ...pairs,
    words: "'denoising' trains encoder-decoders such as BART",
    added: 2,
    specialTokens: [pad, mask, start, end],
    ids: {
      ...{ pad_token_id: pad, bos_token_id: start, eos_token_id: end },
      ...{ decoder_start_token_id: end, forced_eos_token_id: end },
    },
  },
};

/** The special tokens of a run's tokenizer, which have its first ids. */
export function specialTokensOf({
  objective = 'causal-lm',
  data,
}: {
  objective?: RunObjective | undefined;
  data: object;
}): readonly string[] {
  // A packed document has an end, so that the next one has a beginning.
  return 'packing' in data && data.packing !== undefined
    ? [end]
    : objectiveNeeds[objective].specialTokens;
}

/** The ids of special tokens, by the keys of `config.json`. */
export function tokenIdsOf(objective: RunObjective): Record<string, number> {
  const { ids, specialTokens } = objectiveNeeds[objective];
  return Object.fromEntries(
    Object.entries(ids).map(([key, token]) => [key, specialTokens.indexOf(token)]),
  );
}

/** The id of the end of packed documents; undefined where there are none. */
export const documentEndOf = ({ data }: { data: object }): number | undefined =>
  'packing' in data && data.packing !== undefined ? 0 : undefined;
