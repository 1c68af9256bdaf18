/** Where a model to look into comes from. */
export type ModelSource =
  | { kind: 'bundled' }
  | { kind: 'run'; run: string }
  /** Files of a folder in the Hugging Face layout. */
  | { kind: 'files'; name: string; files: readonly File[] }
  /** The address of such a folder. */
  | { kind: 'url'; url: string };

/** What the page needs to know of a model. */
export interface ModelInfo {
  name: string;
  vocabSize: number;
  maxLength: number;
  parameters: number;
  /** The number of heads of each attention layer, by its path. */
  layers: { path: string; heads: number }[];
  /** Steps trained, of a run. */
  step?: number;
}

/** The same text for the same source, to find a model that is loaded. */
export function keyOfSource(source: ModelSource): string {
  if (source.kind === 'run') return `run/${source.run}`;
  if (source.kind === 'files') {
    const sizes = source.files.map(
      ({ name, size, lastModified }) => `${name}:${size}:${lastModified}`,
    );
    return `files/${source.name}/${sizes.sort().join()}`;
  }
  return source.kind === 'url' ? `url/${source.url}` : source.kind;
}
