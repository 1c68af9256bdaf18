/** A part of the lab that could not be fetched. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  /** Whether it can never be fetched again: a newer version has taken its place. */
  readonly gone: boolean;

  constructor(what: string, gone: boolean) {
    super(
      gone
        ? `${what} is of an older version of the lab than the one that is served now. Load the lab again; runs and what is set up are kept.`
        : `${what} could not be loaded: the connection is lost. Runs that train go on; try again when you are online.`,
    );
    this.gone = gone;
  }
}

/**
 * Why a part of the lab could not be fetched.
 *
 * @param what the part, as the visitor knows it
 */
export async function whyNotLoaded(what: string): Promise<LoadError> {
  if (!navigator.onLine) return new LoadError(what, false);
  try {
    // The page itself is always there where its host can be reached.
    const { ok } = await fetch(document.baseURI, { method: 'HEAD', cache: 'no-store' });
    return new LoadError(what, ok);
  } catch {
    return new LoadError(what, false);
  }
}
