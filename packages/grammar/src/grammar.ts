import { InputError } from '@headwise/core';
import type { Constraint } from '@headwise/generation';
import { Automaton } from './automaton/automaton.js';
import { Matcher } from './automaton/matcher.js';
import { type TokenTexts, Vocabulary } from './automaton/vocabulary.js';
import { parseEbnfWithSchemas } from './ebnf.js';
import type { Rules } from './expression.js';
import { distancesOf } from './network/distance.js';
import { checkLeftRecursion } from './network/left-recursion.js';
import { Network } from './network/network.js';
import { parseRegex } from './regex.js';
import { jsonRules, parseSchema } from './schema/schema.js';

/** Compiled constraints that are kept for each tokenizer. */
const mostCompiled = 64;

/** Makes constraints of generation for one tokenizer; what was compiled is kept. */
export interface Grammar {
  /**
   * JSON that is valid against a schema, on one line; what each supported keyword means is its meaning in JSON Schema 2020-12.
   *
   * @throws InputError naming place and keyword where one is not supported, and for a schema that nothing meets
   */
  jsonSchema(schema: unknown): Constraint;
  /** JSON of any shape, on one line. */
  json(): Constraint;
  /**
   * The texts that a regular expression matches as a whole, in ECMAScript's syntax with its flag `u`.
   *
   * @throws InputError for what is not regular, such as back-references
   */
  regex(pattern: string): Constraint;
  /**
   * The texts of the rule `root` of a grammar in the EBNF of XGrammar and llama.cpp (GBNF).
   *
   * @param schemas JSON schemas by names that the grammar uses like those of rules: the texts of `jsonSchema`
   * @throws InputError with line and column, for left recursion, and as `jsonSchema` does
   */
  ebnf(grammar: string, schemas?: Readonly<Record<string, unknown>>): Constraint;
}

/**
 * Constraints over the texts of a tokenizer's tokens.
 *
 * @example
 * const grammar = createGrammar(tokenizer);
 * const constraint = grammar.jsonSchema({ type: 'object', properties: { age: { type: 'integer', minimum: 0 } } });
 * await generateText(model, tokenizer, 'How old?', { constraint, maxNewTokens: 32 });
 */
export function createGrammar(tokenizer: TokenTexts): Grammar {
  const vocabulary = Vocabulary.of(tokenizer);
  const compiled = new Map<string, Constraint>();
  const kept = (key: string, rulesOf: () => Rules): Constraint => {
    const made = compiled.get(key) ?? compile(rulesOf(), vocabulary);
    // The last used come last.
    compiled.delete(key);
    compiled.set(key, made);
    if (compiled.size > mostCompiled) compiled.delete(compiled.keys().next().value!);
    return made;
  };
  return {
    jsonSchema: (schema) => kept(`schema ${JSON.stringify(schema)}`, () => parseSchema(schema)),
    json: () => kept('json', () => jsonRules),
    regex: (pattern) =>
      kept(`regex ${pattern}`, () => new Map([['root', parseRegex(pattern, 'whole')]])),
    ebnf: (grammar, schemas = {}) =>
      kept(`ebnf ${grammar} ${JSON.stringify(schemas)}`, () =>
        parseEbnfWithSchemas(grammar, schemas),
      ),
  };
}

function compile(rules: Rules, vocabulary: Vocabulary): Matcher {
  const network = new Network(rules);
  checkLeftRecursion(network);
  const distances = distancesOf(network, vocabulary);
  const [start] = network.starts;
  const byBytes = distancesOf(network, undefined);
  if (distances[start!] === Number.POSITIVE_INFINITY) {
    throw new InputError(
      byBytes[start!] === Number.POSITIVE_INFINITY
        ? 'grammar: no text meets it; expected one that at least one text meets'
        : 'grammar: the vocabulary lacks characters that every text of it has; expected tokens for each of them',
    );
  }
  return new Matcher(new Automaton(network, distances, byBytes), vocabulary);
}
