import { z } from 'zod';
import type { EmbeddingPart } from '../../build/model-configuration.js';
import type { Held, KeyCopy, KeyTable } from '../../family.js';

/** The tables of an encoder-decoder that may differ from the one that they usually share. */
export type OwnTable = 'encoder' | 'decoder' | 'head';

const tables: readonly OwnTable[] = ['encoder', 'decoder', 'head'];

/** The settings of an encoder-decoder's tables. */
export interface TableSettings {
  tie_word_embeddings: boolean;
  /** A key of ours: the tables that are not tied, of a checkpoint that ties the others. */
  untied_embeddings?: readonly OwnTable[] | undefined;
}

/** `untied_embeddings` in a `config.json`. */
export const untiedEmbeddings: z.ZodType<readonly OwnTable[] | undefined> = z
  .array(z.enum(['encoder', 'decoder', 'head']))
  .optional();

/** Where a family's tables lie, and which of them its settings untie. */
export interface Tables<Config extends TableSettings> {
  /** The sides with a table of their own, and whether the head has the weights of a table. */
  parts(config: Config): { separate: EmbeddingPart['separate']; tied: boolean };
  readonly keys: KeyTable;
  copies(config: Config): readonly KeyCopy[];
  /** As transformers 5 does, tables that a checkpoint has with other values are not tied. */
  fitted(config: Config, held: Held): Config;
}

/**
 * The tables of an encoder-decoder.
 *
 * @param prefix of the keys of the shared table and of those of the sides
 * @param untiedAlone the tables that `tie_word_embeddings: false` unties
 */
export function encoderDecoderTables<Config extends TableSettings>(
  prefix: string,
  untiedAlone: readonly OwnTable[],
): Tables<Config> {
  const modules: Record<OwnTable, string> = {
    encoder: `${prefix}encoder.embed_tokens`,
    decoder: `${prefix}decoder.embed_tokens`,
    head: 'lm_head',
  };
  const untied = ({ tie_word_embeddings: tied, untied_embeddings: own = [] }: Config) =>
    tables.filter((table) => own.includes(table) || (!tied && untiedAlone.includes(table)));
  return {
    parts(config) {
      const own = untied(config);
      const separate = (['encoder', 'decoder'] as const).filter((side) => own.includes(side));
      // The table that a head would share is neither side's.
      const tied = !own.includes('head') && separate.length < 2;
      return { separate: separate.length > 0 ? separate : undefined, tied };
    },
    keys: [
      ['tokens', `${prefix}shared`],
      ['encoder.tokens', modules.encoder],
      ['decoder.tokens', modules.decoder],
      ['head', modules.head],
    ],
    copies: (config) =>
      tables
        .filter((table) => !untied(config).includes(table))
        .map((table) => [`${modules[table]}.weight`, `${prefix}shared.weight`]),
    fitted(config, { has, differing }) {
      const keyOf = (table: OwnTable) => `${modules[table]}.weight`;
      const declared = untied(config);
      const own = tables.filter(
        (table) =>
          has(keyOf(table)) && (declared.includes(table) || differing.includes(keyOf(table))),
      );
      if (own.join() === declared.join()) return config;
      const alone = untiedAlone.every((table) => own.includes(table));
      const others = alone ? own.filter((table) => !untiedAlone.includes(table)) : own;
      return {
        ...config,
        tie_word_embeddings: !alone,
        untied_embeddings: others.length > 0 ? others : undefined,
      };
    },
  };
}
