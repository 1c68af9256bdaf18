/** A value that JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** One text of a raw corpus, with what is known about it. */
export interface Document {
  /** Unique within the corpus: the source's own id, or `file:number`. */
  readonly id: string;
  readonly text: string;
  /** Everything else that the source says, for example `url` and `date`, and what steps measured. */
  readonly meta: { readonly [key: string]: JsonValue };
}

/** A stream of documents, read and released one by one. */
export type Documents = AsyncIterable<Document>;
