import { InputError } from '@headwise/core';
import type { Generator } from '../batch-scores.js';
import type { GenerateOptions } from '../options.js';
import type { EarlyStopping } from './beams.js';
import type { Phrase } from './phrases.js';

export interface BeamSearchOptions extends GenerateOptions {
  /** The number of sequences that are kept while searching, at least 1. */
  beams: number;
  /** The number of sequences to return for each prompt, at most `beams`; default 1. */
  returned?: number | undefined;
  /** The exponent of the length that sums of log-probabilities are divided by: above 0 favours long sequences; default 1. */
  lengthPenalty?: number | undefined;
  /**
   * `true` ends with as many finished sequences as beams; `false` (default) where a better one is unlikely; `'never'` where
   * there can be none.
   */
  earlyStopping?: EarlyStopping | undefined;
  /** Diverse beam search: the beams are cut into as many groups, which search one after the other; default 1. */
  groups?: number | undefined;
  /**
   * Taken from the log-probability of a token for each beam of an earlier group that chose it in the same step; needs groups.
   * Default 0.
   */
  diversityPenalty?: number | undefined;
  /** Beam sampling: continuations are drawn, after temperature and cut-offs, in place of the best. Default false. */
  sample?: boolean | undefined;
  /**
   * Constrained beam search: phrases that every sequence has to contain, in any order; one that a decoder's prompt contains counts.
   * Default none.
   */
  phrases?: readonly Phrase[] | undefined;
}

/** @throws InputError for options out of range, or that contradict each other */
export function checkBeams(network: Generator, options: BeamSearchOptions): void {
  const { beams, returned = 1, lengthPenalty = 1, earlyStopping = false } = options;
  const count = (name: string, value: number, most: number) => {
    if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
    throw new InputError(`${name} is ${value}; expected a whole number from 1 to ${most}`);
  };
  count('beams', beams, network.vocabSize);
  count('returned', returned, beams);
  const { groups = 1, diversityPenalty = 0 } = options;
  count('groups', groups, beams);
  if (beams % groups !== 0) {
    throw new InputError(`groups is ${groups} for ${beams} beams; expected a divisor of them`);
  }
  if (!(diversityPenalty >= 0 && Number.isFinite(diversityPenalty))) {
    throw new InputError(
      `diversityPenalty is ${diversityPenalty}; expected a number of at least 0`,
    );
  }
  if (diversityPenalty > 0 && groups === 1) {
    throw new InputError(`diversityPenalty is ${diversityPenalty} for one group; expected 0`);
  }
  const { phrases = [], sample = false } = options;
  if (phrases.length > 0 && (sample || groups > 1 || beams === 1)) {
    const given = sample ? 'sample' : groups > 1 ? `${groups} groups` : 'one beam';
    throw new InputError(
      `phrases is given with ${given}; expected several beams, in one group, that are not drawn`,
    );
  }
  if (!Number.isFinite(lengthPenalty)) {
    throw new InputError(`lengthPenalty is ${lengthPenalty}; expected a number`);
  }
  if (![true, false, 'never'].includes(earlyStopping)) {
    throw new InputError(`earlyStopping is ${earlyStopping}; expected true, false or 'never'`);
  }
  if (options.constraint && !options.stopIds?.length) {
    throw new InputError(
      'constraint is given for a beam search without stopIds; expected end tokens, which end complete outputs',
    );
  }
  if (options.dolaLayers) {
    throw new InputError(
      'dolaLayers is given for a beam search; expected none: it is for generate and stream',
    );
  }
  if (options.speculation) {
    throw new InputError(
      'speculation is given for a beam search; expected none: it is for generate and stream',
    );
  }
  if (options.contextShift) {
    throw new InputError(
      'contextShift is given for a beam search; expected none: it is for generate and stream',
    );
  }
  if ((options.guidanceScale ?? 1) !== 1) {
    throw new InputError(
      `guidanceScale is ${options.guidanceScale} for a beam search; expected 1: guidance is for generate`,
    );
  }
}
