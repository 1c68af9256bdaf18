import { type EncoderDecoderModel, InputError, isEncoder, isEncoderDecoder } from '@headwise/core';
import { encodedSources, type GenerateOptions, generateBatch } from '@headwise/generation';
import { type LoadedModel, languageModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { generationSettings, sentenceSettings } from '@headwise/text/internal';
import { embed } from '@headwise/text/node';
import type { Tokenizer } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import type { PictureFile } from '../read-picture.js';
import { findingsOfEncoder } from './encoder-findings.js';
import { type Compared, checkLength, type Findings, findingsOf, type Tokens } from './findings.js';
import type { PageOptions } from './page.js';
import { findingsOfPair, type TextSource } from './pair-findings.js';
import { pictureSource } from './picture-source.js';

/** What a model is given. */
export interface Read {
  /** The model's folder. */
  model: string;
  /** What the model reads: a text, or a picture. */
  source: { readonly text: string } | { readonly picture: PictureFile; readonly name: string };
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
  const { source, against, target } = read;
  checkSource(model, source);
  if (against.length > 0 && !isEncoder(network)) {
    const kind = isEncoderDecoder(network) ? 'an encoder-decoder' : 'a decoder';
    throw new InputError(`--against compares vectors of an encoder; the model is ${kind}`);
  }
  if (isEncoderDecoder(network)) return lookIntoPair(model, network, tokenizer, read);
  if (target !== undefined) {
    const kind = isEncoder(network) ? 'an encoder' : 'a decoder';
    throw new InputError(
      `--target is what an encoder-decoder writes; the model of family '${modelType}' is ${kind}`,
    );
  }
  if ('picture' in source) {
    throw new InputError(
      `--picture is what captions are of; the model of family '${modelType}' writes none: expected an encoder-decoder`,
    );
  }
  const { text } = source;
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

/** @throws InputError for a source of another kind than the model reads */
function checkSource({ network, family }: LoadedModel, source: Read['source']): void {
  const { pictures, frames, stateWidth } = {
    ...{ pictures: undefined, frames: undefined, stateWidth: undefined },
    ...network,
  };
  const reads = pictures ? 'pictures' : frames ? 'sounds' : stateWidth ? 'states' : 'texts';
  const given = 'picture' in source ? 'pictures' : 'texts';
  if (reads === given) return;
  const expected = { pictures: '--picture', texts: '--text' }[reads as string];
  throw new InputError(
    `${given === 'pictures' ? '--picture' : '--text'} is given; the model of family '${family.modelType}' reads ${reads}: expected ${expected ?? 'a model that reads texts or pictures'}`,
  );
}

/** What is found in an encoder-decoder: of the target where there is one, or else of what it writes. */
async function lookIntoPair(
  model: LoadedModel,
  network: EncoderDecoderModel,
  tokenizer: Tokenizer,
  { model: folder, source: read, target, maxNewTokens }: Read,
): Promise<Looked> {
  const { settings } = await generationSettings(folderFiles(folder));
  const start = settings.startIds ?? [network.startId];
  const greedy = { ...settings, temperature: 0, maxNewTokens };
  const source =
    'picture' in read
      ? await pictureSource(model, network.pictures!, folder, read.picture)
      : textSource(network, tokenizer, read.text);
  try {
    const written =
      target === undefined
        ? await writtenBy(network, tokenizer, source.input, greedy)
        : tokensOf(tokenizer, target);
    const whole = {
      ids: [...start, ...written.ids],
      texts: [...start.map((id) => tokenText(tokenizer, id)), ...written.texts],
    };
    const found = await findingsOfPair(network, source, whole, start.length);
    const text = target ?? tokenizer.decode([...written.ids]);
    const title =
      target === undefined ? 'Target, as the model writes it greedily' : 'Target, as it was given';
    const given =
      'picture' in read
        ? { title: `Source, ${read.name}`, picture: read.picture.file }
        : { title: 'Source', text: read.text };
    return { found, texts: [given, { title, text }], target: text };
  } finally {
    source.input.dispose();
  }
}

/** A text as an encoder reads it. */
function textSource(network: EncoderDecoderModel, tokenizer: Tokenizer, text: string): TextSource {
  const { special: _, ...tokens } = tokensOf(tokenizer, text);
  checkLength(network, tokens.ids, 'the source');
  return { tokens, input: tf.tensor2d([...tokens.ids], [1, tokens.ids.length], 'int32') };
}

/** The tokens that an encoder-decoder writes about a source, with the one that ended them. */
async function writtenBy(
  network: EncoderDecoderModel,
  tokenizer: Tokenizer,
  source: tf.Tensor,
  settings: GenerateOptions,
): Promise<Tokens> {
  const encoded = tf.tidy(() => ({ ...network.encode(source) }));
  const { sequences } = await generateBatch(
    encodedSources(network, encoded),
    [[0]],
    settings,
  ).finally(() => tf.dispose({ ...encoded }));
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
