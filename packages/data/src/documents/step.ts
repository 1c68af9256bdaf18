import type { Document } from './document.js';

/** What a step makes of a document: the document, kept or rewritten, or the name of the rule that drops it. */
export type Outcome = Document | string;

/** An outcome, and the value that it follows from; undefined where a document has none. */
export interface MeasuredOutcome {
  readonly outcome: Outcome;
  readonly value: number | undefined;
}

/** What a step measures of each document. */
export interface Measure {
  /** Such as `perplexity`. */
  readonly name: string;
  /** Ascending bounds of a histogram's bins: bin `i` counts values from `edges[i − 1]` up to `edges[i]`. */
  readonly edges: readonly number[];
}

/**
 * One step of a pipeline: decides on documents, each by itself, and keeps nothing of them.
 *
 * A filter's outcome is the document itself or the name of a rule; a mapper's is another document. The same documents have the
 * same outcomes in every process, which is what lets shards be processed in any order, and anew after a kill.
 */
export interface Step {
  /** Its name in pipeline files and reports. */
  readonly name: string;
  /** Documents that it takes at once, where more are faster, as for a model. Default 1. */
  readonly batch?: number | undefined;
  /** What its outcomes have as `value`. */
  readonly measure?: Measure | undefined;
  /** @returns one outcome for each document, in their order */
  apply(
    documents: readonly Document[],
  ): readonly (Outcome | MeasuredOutcome)[] | Promise<readonly (Outcome | MeasuredOutcome)[]>;
  /** Frees what it holds, such as a model. */
  dispose?(): void;
}

/** A step that decides on one document at a time. */
export function ruleStep(
  name: string,
  decide: (document: Document) => Outcome | Promise<Outcome>,
): Step {
  return {
    name,
    async apply(documents) {
      const outcomes: Outcome[] = [];
      for (const document of documents) {
        const outcome = decide(document);
        outcomes.push(outcome instanceof Promise ? await outcome : outcome);
      }
      return outcomes;
    },
  };
}
