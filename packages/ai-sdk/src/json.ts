import type { Constraint } from '@headwise/generation';
import type { Grammar } from '@headwise/grammar';
import type { Tokenizer } from '@headwise/tokenizers';

/** Makes a constraint whose texts are JSON, of a schema where one is given. */
export type JsonConstraint = (schema: object | undefined) => Constraint | Promise<Constraint>;

/** Constraints of `@headwise/grammar`, which is imported with the first one. */
export function jsonGrammar(tokenizer: Tokenizer): JsonConstraint {
  let grammar: Grammar | undefined;
  return async (schema) => {
    grammar ??= (await import('@headwise/grammar')).createGrammar(tokenizer);
    return schema ? grammar.jsonSchema(schema) : grammar.json();
  };
}
