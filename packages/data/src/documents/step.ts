import type { Document } from './document.js';

/** What a step makes of a document: the document, kept or rewritten, or the name of the rule that drops it. */
export type Outcome = Document | string;

/**
 * One step of a pipeline: looks at one document at a time, and keeps nothing of it.
 *
 * A filter returns the document itself or the name of a rule; a mapper returns another document. The same document has the
 * same outcome in every process, which is what lets shards be processed in any order, and anew after a kill.
 */
export interface Step {
  /** Its name in pipeline files and reports. */
  readonly name: string;
  apply(document: Document): Outcome | Promise<Outcome>;
}
