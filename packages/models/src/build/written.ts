import type { ModelConfiguration } from './model-configuration.js';
import { type GivenPart, type OwnPart, type OwnSlot, ownPartOf, savedPart } from './own-parts.js';

/** The keys of a configuration that hold a part which may be one's own, and the slot of each. */
interface Slots {
  position: 'position';
  score: 'score';
  mask: 'mask';
  norm: 'norm';
  feedForward: 'feedForward';
  block: 'block';
}

const slots: Slots = {
  position: 'position',
  score: 'score',
  mask: 'mask',
  norm: 'norm',
  feedForward: 'feedForward',
  block: 'block',
};

/**
 * A configuration as a program writes it: beside the named kinds it takes instances and factories of parts of one's own.
 */
export type Written<Config> = {
  [K in keyof Config]: K extends keyof Slots
    ? Config[K] | GivenPart<Slots[K]>
    : K extends 'mods'
      ? readonly (OwnPart | GivenPart<'mod'>)[] | undefined
      : Config[K];
};

const isDocument = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

/**
 * A document whose instances and factories are the parts that they stand for.
 *
 * @throws InputError for a class in place of an instance or a factory
 */
export function withOwnParts(json: unknown, name: string): unknown {
  if (!isDocument(json)) return json;
  const own = Object.entries(slots)
    .filter(([key]) => key in json)
    .map(([key, slot]: [string, OwnSlot]) => [
      key,
      ownPartOf(slot, json[key], `${name}: '${key}'`),
    ]);
  const { mods } = json;
  const list = Array.isArray(mods)
    ? { mods: mods.map((mod, i) => ownPartOf('mod', mod, `${name}: 'mods.${i}'`)) }
    : {};
  const encoder = isDocument(json.encoder)
    ? { encoder: withOwnParts(json.encoder, `${name}: encoder`) }
    : {};
  return { ...json, ...Object.fromEntries(own), ...list, ...encoder };
}

/** The parts of one's own that a configuration has, with the keys that hold them. */
export function ownPartsOf(config: ModelConfiguration): [key: string, slot: OwnSlot, OwnPart][] {
  const single = Object.entries(slots).map(
    ([key, slot]) => [key, slot, config[key as keyof Slots]] as const,
  );
  const mods = (config.mods ?? []).map((mod, i) => [`mods.${i}`, 'mod', mod] as const);
  return [...single, ...mods].flatMap(([key, slot, part]) =>
    isOwn(part) ? [[key, slot, part] as [string, OwnSlot, OwnPart]] : [],
  );
}

const isOwn = (part: unknown): part is OwnPart => isDocument(part) && part.kind === 'own';

/**
 * A configuration as it is saved, with the registered names of parts of one's own.
 *
 * @throws InputError for a part without one
 */
export function savedConfiguration(config: ModelConfiguration): Record<string, unknown> {
  const { encoder } = config;
  const saved: Record<string, unknown> = { ...config };
  if (typeof encoder === 'object') saved.encoder = savedConfiguration(encoder);
  for (const [key, slot, part] of ownPartsOf(config)) {
    const [, index] = key.split('.');
    const plain = savedPart(slot, part, `saving the model: '${key}'`);
    if (index === undefined) saved[key] = plain;
    else saved.mods = (saved.mods as OwnPart[]).with(Number(index), plain);
  }
  return saved;
}
