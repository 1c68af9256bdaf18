import type { JsonValue } from '@headwise/data';
import type { Prompt } from '@headwise/text';
import type { PromptTemplate } from '../template.js';
import type { AskedRecord, MakeRun } from './make-run.js';

/** What examples are made of: a query, a document or an instruction. */
export interface MakeItem {
  /** What errors, rows and reports name it by: `queries.jsonl:3`. */
  readonly place: string;
}

/** An example in a format that is trained on, with what it was made by under `made`. */
export type MadeExample = Readonly<Record<string, JsonValue>>;

/** An example on its way through the filters. */
export interface DraftRow {
  readonly example: MadeExample;
  /** What it asks, and what answers it. */
  readonly instruction: string;
  readonly answers: readonly string[];
  /** The text that no other row may nearly repeat. Default the instruction with its answers. */
  readonly unique?: string | undefined;
}

/** What a recipe makes of an item. */
export interface Making {
  readonly rows: readonly DraftRow[];
  /** What is left out beside the rows, and why. */
  readonly leftOut?: readonly LeftOutRow[] | undefined;
  /** What later rounds know of it. */
  readonly state?: JsonValue | undefined;
}

/** A row that is not kept, or an item that no row came of. */
export interface LeftOutRow {
  /** The rule, to count by: `refusal`, `duplicate`. */
  readonly rule: string;
  /** Why, in words, with the prompt and the example. */
  readonly reason: string;
  readonly example?: MadeExample | undefined;
}

/** What became of an item. */
export interface MadeEntry {
  /** The round and the item's number in it, counted from 0. */
  readonly round: number;
  readonly item: number;
  readonly place: string;
  readonly rows: readonly {
    readonly example: MadeExample;
    /** What no other row may nearly repeat. */
    readonly unique: string;
  }[];
  readonly leftOut: readonly LeftOutRow[];
  readonly state?: JsonValue | undefined;
  /** Every prompt and every answer. */
  readonly asked: readonly AskedRecord[];
}

/** An entry as later rounds see it. */
export type PastEntry = Omit<MadeEntry, 'asked'>;

/** How examples are made of items, in one round or several that build upon each other. */
export interface Recipe<Item extends MakeItem = MakeItem> {
  /** What rows name it by. */
  readonly name: string;
  /** The prompts that it asks. */
  readonly prompts: Readonly<Record<string, PromptTemplate<never, Prompt>>>;
  /** What its rows depend on besides the prompts, such as the number of answers. */
  readonly settings: Readonly<Record<string, JsonValue>>;
  /**
   * The items of a round: a function of what the rounds before have made, so that a run which goes on has the same.
   *
   * @param past what was made so far, in order
   * @returns none to end
   */
  items(round: number, past: readonly PastEntry[]): readonly Item[];
  /** Makes the rows of an item. */
  make(item: Item, run: MakeRun): Promise<Making>;
}
