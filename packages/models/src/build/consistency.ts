import { InputError, quoted } from '@headwise/core';
import { checkDivides } from '../parse-with.js';
import type { HeadPart, ModelConfiguration } from './model-configuration.js';
import { needsLength, onlyTopologyOf } from './positions.js';
import { sideOf } from './sides.js';

type Topology = ModelConfiguration['topology'];

/**
 * Throws unless the parts of a configuration go together.
 *
 * @throws InputError naming the key, what it holds and what was expected
 */
export function checkConsistent(config: ModelConfiguration, name: string): void {
  checkEncoder(config, name);
  checkHeads(config, name);
  checkTopology(config, name);
  checkShared(config, name);
  checkWidth(config, name);
  checkDisentangled(config, name);
  const { kind } = config.position;
  if (config.maxLength === null && needsLength(config.position)) {
    throw new InputError(
      `${name}: 'maxLength' is null; positions of the kind "${kind}" need the longest sequence`,
    );
  }
  if (config.decoder?.hidden !== undefined && config.feedForward.kind === 'own') {
    throw new InputError(
      `${name}: 'decoder.hidden' is ${config.decoder.hidden}; the layer '${config.feedForward.name}' has a width of its own`,
    );
  }
  checkExperts(config, name);
  checkSource(config, name);
  checkPatches(config, name);
  checkFrames(config, name);
  checkEmbedding(config, name);
  const { vocabSize, decoder, embedding } = config;
  const target = decoder?.vocabSize ?? vocabSize;
  if (target !== vocabSize && new Set(embedding?.separate).size < 2) {
    throw new InputError(
      `${name}: 'decoder.vocabSize' is ${target} and 'vocabSize' ${vocabSize}; two vocabularies need two tables: 'embedding.separate' of ["encoder", "decoder"]`,
    );
  }
  if (config.init?.zero?.includes('head') && (config.head as { tied?: unknown }).tied !== false) {
    throw new InputError(
      `${name}: 'init.zero' names "head", which has no weights of its own; expected a head with 'tied' false`,
    );
  }
  const adaptive = config.embedding?.adaptive !== undefined;
  if (adaptive !== (config.head.kind === 'adaptive')) {
    throw new InputError(
      `${name}: 'embedding.adaptive' ${adaptive ? 'is there' : 'is missing'} and 'head.kind' is "${config.head.kind}"; an adaptive head goes with an adaptive embedding`,
    );
  }
}

/** Throws for an encoder of its own that is none, or beside settings that only an encoder made as the decoder reads. */
function checkEncoder({ encoder, decoder, embedding }: ModelConfiguration, name: string): void {
  if (encoder === undefined) return;
  for (const [key, given] of [
    ['decoder', decoder],
    ['embedding.separate', embedding?.separate],
  ] as const) {
    if (given === undefined) continue;
    throw new InputError(
      `${name}: '${key}' is ${quoted(given)} beside 'encoder'; expected it absent: all but 'encoder' is the decoder's`,
    );
  }
  if (encoder === 'states') return;
  const { topology, head } = encoder;
  if (topology !== 'encoder') {
    throw new InputError(`${name}: 'encoder.topology' is "${topology}"; expected "encoder"`);
  }
  if (head.kind !== 'none' || head.pooler) {
    throw new InputError(
      `${name}: 'encoder.head' is ${quoted(head)}; expected { kind: 'none' }: a decoder reads the last hidden states`,
    );
  }
  checkConsistent(encoder, `${name}: encoder`);
}

/** Throws for both or neither of a vocabulary and what takes the place of tokens, and for a head that needs tokens. */
function checkSource({ vocabSize, head, embedding = {} }: ModelConfiguration, name: string): void {
  const { patches, frames } = embedding;
  if (patches && frames) {
    throw new InputError(
      `${name}: 'embedding.patches' and 'embedding.frames' are both there; expected pictures or sounds`,
    );
  }
  const given = patches ?? frames;
  if ((vocabSize === 0) !== (given !== undefined)) {
    throw new InputError(
      `${name}: 'vocabSize' is ${vocabSize} and 'embedding.${frames ? 'frames' : 'patches'}' ${given ? 'is there' : 'is missing'}; expected a vocabulary of at least 1, or patches or frames and 0`,
    );
  }
  if (!given || ['none', 'embedding', 'sequence-classification'].includes(head.kind)) return;
  throw new InputError(
    `${name}: 'head.kind' is "${head.kind}"; ${frames ? 'sounds' : 'pictures'} take none, embedding or sequence-classification`,
  );
}

function checkFrames({ embedding, position, maxLength }: ModelConfiguration, name: string): void {
  const frames = embedding?.frames;
  if (!frames) return;
  const { count } = frames;
  if (count % 2 !== 0 || count / 2 > (maxLength ?? count)) {
    throw new InputError(
      `${name}: 'embedding.frames.count' is ${count}; expected an even number, of at most twice 'maxLength' ${maxLength}`,
    );
  }
  if (!('padId' in position) || position.padId === undefined) return;
  throw new InputError(
    `${name}: 'position.padId' is ${position.padId}; sounds have no ids: expected none`,
  );
}

function checkPatches({ position, embedding }: ModelConfiguration, name: string): void {
  const patches = embedding?.patches;
  if (!patches) return;
  checkDivides(name, 'embedding.patches.height', patches.height, 'size[0]', patches.size[0]);
  checkDivides(name, 'embedding.patches.width', patches.width, 'size[1]', patches.size[1]);
  if (position.kind !== 'none') {
    throw new InputError(
      `${name}: 'position.kind' is "${position.kind}"; patches have places of their own: expected "none"`,
    );
  }
}

/** Throws where a head would look for ids that no token has. */
function checkEmbedding({ head, vocabSize, embedding }: ModelConfiguration, name: string): void {
  if (head.kind !== 'embedding' || head.of === 'first') return;
  if (embedding?.patches || embedding?.frames) {
    const given = embedding.patches ? 'pictures' : 'sounds';
    throw new InputError(
      `${name}: 'head.of' is ${quoted(head.of)}; ${given} have no ids: expected "first"`,
    );
  }
  if (head.of === 'highest-id' || head.of.id < vocabSize) return;
  throw new InputError(
    `${name}: 'head.of.id' is ${head.of.id}; expected an id below 'vocabSize' ${vocabSize}`,
  );
}

function checkExperts({ feedForward: part, layers }: ModelConfiguration, name: string): void {
  if (part.kind !== 'experts') return;
  if (part.active > part.count) {
    throw new InputError(
      `${name}: 'feedForward.active' is ${part.active}; expected at most 'feedForward.count' ${part.count}`,
    );
  }
  const beyond = part.dense?.layers.find((layer) => layer >= layers);
  if (beyond === undefined) return;
  throw new InputError(
    `${name}: 'feedForward.dense.layers' names ${beyond}; expected layers below ${layers}`,
  );
}

function checkHeads(config: ModelConfiguration, name: string): void {
  const { dim, heads } = config;
  const target = sideOf(config, 'decoder');
  for (const [key, count] of [
    ['heads.count', heads.count],
    ['decoder.heads', target.heads.count],
  ] as const) {
    if (heads.dim === undefined) checkDivides(name, 'dim', dim, key, count);
    checkDivides(name, key, count, 'heads.kv', heads.kv ?? count);
  }
  const { bias, projection } = heads;
  if (projection === 'fused' && bias && (bias.k ?? bias.qkv) !== bias.qkv) {
    throw new InputError(
      `${name}: 'heads.bias.k' is ${bias.k} and 'heads.bias.qkv' ${bias.qkv}; one matrix has one bias: expected 'heads.projection' "separate"`,
    );
  }
  const rotary = config.position.kind === 'rotary' ? config.position : undefined;
  for (const layers of [config.layers, target.layers]) {
    for (const [key, entries] of [
      ['heads.window', heads.window],
      ['position.layers', rotary?.layers],
    ] as const) {
      if (!Array.isArray(entries) || entries.length === layers) continue;
      throw new InputError(
        `${name}: '${key}' has ${entries.length} entries; expected one for each of ${layers} layers`,
      );
    }
  }
  if (rotary?.layers?.includes('local') && !rotary.local) {
    throw new InputError(
      `${name}: 'position.layers' names "local"; expected 'position.local', the rule of those layers`,
    );
  }
}

/** Throws where vectors of distances would need projections or keys that the heads do not have. */
function checkDisentangled({ position, heads, maxLength }: ModelConfiguration, name: string): void {
  if (position.kind !== 'disentangled') return;
  const { sharedProjections, absolute } = position;
  if (sharedProjections && heads.projection === 'fused') {
    throw new InputError(
      `${name}: 'position.sharedProjections' is true and 'heads.projection' "fused"; expected "separate"`,
    );
  }
  if (heads.kv !== undefined && heads.kv !== heads.count) {
    throw new InputError(
      `${name}: 'heads.kv' is ${heads.kv} and 'heads.count' ${heads.count}; positions of the kind "disentangled" need as many`,
    );
  }
  if (absolute && maxLength === null) {
    throw new InputError(
      `${name}: 'maxLength' is null; 'position.absolute' needs the longest sequence`,
    );
  }
}

/** Throws where scores of tokens would be products with a table of another width. */
function checkWidth({ embedding, head }: ModelConfiguration, name: string): void {
  if (embedding?.width === undefined || head.kind !== 'language-model' || !head.tied) return;
  throw new InputError(
    `${name}: 'embedding.width' is ${embedding.width} and 'head.kind' "language-model", tied; expected a head of its own, or "masked-language-model"`,
  );
}

/** Throws unless the layers that share parameters name each block once those below it are named. */
function checkShared({ sharedBlocks: blocks, layers }: ModelConfiguration, name: string): void {
  if (!blocks) return;
  const inOrder = blocks.every((block, i) => block <= Math.max(-1, ...blocks.slice(0, i)) + 1);
  if (inOrder && blocks.length === layers) return;
  throw new InputError(
    `${name}: 'sharedBlocks' is ${quoted(blocks)}; expected a block for each of ${layers} layers, each number first after those below it`,
  );
}

/** The heads that each topology takes. */
const headKinds: Record<Topology, readonly HeadPart['kind'][]> = {
  decoder: [
    'language-model',
    'adaptive',
    'none',
    'embedding',
    'sequence-classification',
    'token-classification',
    'question-answering',
  ],
  encoder: [
    'language-model',
    'masked-language-model',
    'none',
    'embedding',
    'next-sentence',
    'sequence-classification',
    'token-classification',
    'question-answering',
    'replaced-tokens',
  ],
  'encoder-decoder': ['language-model'],
};

/** Settings that have an effect in some topologies alone. */
const settings: readonly [
  key: string,
  read: (config: ModelConfiguration) => unknown,
  topologies: readonly Topology[],
][] = [
  ['embedding.tokenTypes', (config) => config.embedding?.tokenTypes, ['encoder']],
  ['position.padId', ({ position }) => position.kind === 'learned' && position.padId, ['encoder']],
  ['embedding.width', (config) => config.embedding?.width, ['encoder']],
  ['sharedBlocks', (config) => config.sharedBlocks, ['encoder']],
  // False is what it says.
  ['firstNorm', (config) => config.firstNorm === false && 'false', ['encoder']],
  ['embedding.patches', (config) => config.embedding?.patches, ['encoder']],
  ['embedding.frames', (config) => config.embedding?.frames, ['encoder']],
  ['embedding.separate', (config) => config.embedding?.separate, ['encoder-decoder']],
  ['decoder', (config) => config.decoder, ['encoder-decoder']],
  ['encoder', (config) => config.encoder, ['encoder-decoder']],
  ['startId', (config) => config.startId, ['encoder-decoder']],
  ['head.pooler', ({ head }) => 'pooler' in head && head.pooler, ['encoder']],
  ['head.softCap', (config) => languageHead(config)?.softCap, ['decoder']],
];

const languageHead = ({ head }: ModelConfiguration) =>
  head.kind === 'language-model' ? head : undefined;

/** Throws for parts that do not go with the topology. */
function checkTopology(config: ModelConfiguration, name: string): void {
  const { topology, position, head } = config;
  const only = onlyTopologyOf(position) ?? topology;
  if (topology !== only) {
    throw new InputError(
      `${name}: 'position.kind' is "${position.kind}", which works in ${only}s alone; expected 'topology' "${only}", got "${topology}"`,
    );
  }
  for (const [key, read, topologies] of settings) {
    const given = read(config);
    if (given === undefined || given === false || topologies.includes(topology)) continue;
    throw new InputError(
      `${name}: '${key}' is ${quoted(given)}; it goes with 'topology' "${topologies.join('" or "')}", got "${topology}"`,
    );
  }
  if (headKinds[topology].includes(head.kind)) return;
  throw new InputError(
    `${name}: 'head.kind' is "${head.kind}"; 'topology' "${topology}" takes ${headKinds[topology].join(' or ')}`,
  );
}
