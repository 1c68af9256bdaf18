import { type EncoderDecoderModel, InputError, isEncoder, isEncoderDecoder } from '@headwise/core';
import { generateBatch } from '@headwise/generation';
import { type LoadedModel, languageModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { generationSettings, sentenceSettings } from '@headwise/text/internal';
import { embed } from '@headwise/text/node';
import type { Tokenizer } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { findingsOfEncoder } from './encoder-findings.js';
import { type Compared, checkLength, type Findings, findingsOf, type Tokens } from './findings.js';
import type { PageOptions } from './page.js';
import { findingsOfPair } from './pair-findings.js';

/** What a model is given. */
export interface Read {
  /** The model's folder. */
  model: string;
  text: string;
  /** Texts whose vectors are compared with the text's, by an encoder. */
  against: readonly string[];
  /** What an encoder-decoder is shown to write; default what it writes. */
  target?: string | undefined;
  /** The most tokens that it writes. */
  maxNewTokens: number;
}

/** What was found, and the texts that it is about. */
export interface Looked {
  readonly found: Findings;
  readonly texts: PageOptions['texts'];
  /** What an encoder-decoder wrote, or was shown to write. */
  readonly target?: string | undefined;
}

/**
 * What is found in a decoder, an encoder, or an encoder-decoder.
 *
 * @throws InputError for what a model of its kind does not take
 */
export async function lookInto(
  model: LoadedModel,
  tokenizer: Tokenizer,
  read: Read,
): Promise<Looked> {
  const { network } = model;
  const { modelType } = model.family;
  const { text, against, target } = read;
  if (against.length > 0 && !isEncoder(network)) {
    const kind = isEncoderDecoder(network) ? 'an encoder-decoder' : 'a decoder';
    throw new InputError(`--against compares vectors of an encoder; the model is ${kind}`);
  }
  if (isEncoderDecoder(network)) return lookIntoPair(network, tokenizer, read, modelType);
  if (target !== undefined) {
    const kind = isEncoder(network) ? 'an encoder' : 'a decoder';
    throw new InputError(
      `--target is what an encoder-decoder writes; the model of family '${modelType}' is ${kind}`,
    );
  }
  const texts = [{ text }];
  const { special, ...tokens } = tokensOf(tokenizer, text);
  if (!isEncoder(network)) {
    return { texts, found: await findingsOf(languageModel(model).network, tokens) };
  }
  const maskId = tokenizer.tokenToId('[MASK]') ?? tokenizer.tokenToId('<mask>');
  const found = await findingsOfEncoder(network, { ...tokens, special, maskId });
  if (against.length === 0) return { texts, found };
  const embedding = await sentenceSettings(folderFiles(read.model));
  const compared = await comparedTo({ network, embedding }, tokenizer, text, against);
  return { texts, found: { ...found, compared } };
}

/** What is found in an encoder-decoder: of the target where there is one, or else of what it writes. */
async function lookIntoPair(
  network: EncoderDecoderModel,
  tokenizer: Tokenizer,
  { model, text, target, maxNewTokens }: Read,
  modelType: string,
): Promise<Looked> {
  if (network.sourceVocabSize === 0) {
    throw new InputError(
      `inspect: the model of family '${modelType}' reads ${network.pictures ? 'pictures' : network.frames ? 'sounds' : 'states'}; expected one that reads text`,
    );
  }
  const { special: _, ...source } = tokensOf(tokenizer, text);
  checkLength(network, source.ids, 'the source');
  const { settings } = await generationSettings(folderFiles(model));
  const start = settings.startIds ?? [network.startId];
  const startTexts = start.map((id) => tokenText(tokenizer, id));
  const begun = ({ ids, texts }: Tokens): Tokens => ({
    ids: [...start, ...ids],
    texts: [...startTexts, ...texts],
  });
  const written =
    target === undefined
      ? await writtenBy(network, tokenizer, source.ids, {
          ...settings,
          ...{ temperature: 0, maxNewTokens },
        })
      : tokensOf(tokenizer, target);
  const input = tf.tensor2d([...source.ids], [1, source.ids.length], 'int32');
  try {
    const found = await findingsOfPair(network, input, source, begun(written));
    const own = target ?? tokenizer.decode([...written.ids]);
    const title =
      target === undefined ? 'Target, as the model writes it greedily' : 'Target, as it was given';
    return {
      found,
      texts: [
        { title: 'Source', text },
        { title, text: own },
      ],
      target: own,
    };
  } finally {
    input.dispose();
  }
}

/** The tokens that an encoder-decoder writes about a source, with the one that ended them. */
async function writtenBy(
  network: EncoderDecoderModel,
  tokenizer: Tokenizer,
  source: readonly number[],
  settings: Parameters<typeof generateBatch>[2] & object,
): Promise<Tokens> {
  const { sequences } = await generateBatch(network, [source], settings);
  const { tokens, stopId, reason, error } = sequences[0]!;
  if (reason === 'error') throw error;
  const ids = [...tokens.map(({ id }) => id), ...(stopId === undefined ? [] : [stopId])];
  return { ids, texts: ids.map((id) => tokenText(tokenizer, id)) };
}

/** The cosines of a text's vector with those of others. */
async function comparedTo(
  model: Parameters<typeof embed>[0],
  tokenizer: Tokenizer,
  text: string,
  others: readonly string[],
): Promise<Compared[]> {
  const [own, ...vectors] = await embed(model, tokenizer, [text, ...others], { normalize: true });
  return others.map((other, n) => ({
    text: other,
    cosine: vectors[n]!.reduce((sum, x, i) => sum + x * own![i]!, 0),
  }));
}

/** The tokens of a text as they stand in it, and which were added around it. */
function tokensOf(tokenizer: Tokenizer, text: string): Tokens & { special: readonly number[] } {
  const { ids, offsets, specialTokensMask } = tokenizer.encode(text);
  // A special token is at no place in the text.
  const texts = ids.map((id, i) => text.slice(...offsets[i]!) || tokenText(tokenizer, id));
  return { ids: [...ids], texts, special: specialTokensMask };
}

/** The text of a token; the id where the tokenizer has none for it, as in padded vocabularies. */
export function tokenText(tokenizer: Tokenizer, id: number): string {
  if (tokenizer.idToToken(id) === undefined) return `[${id}]`;
  return tokenizer.decode([id], { skipSpecialTokens: false });
}
