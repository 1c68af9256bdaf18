/** The root of all errors that Headwise throws on purpose. */
export abstract class HeadwiseError extends Error {
  /** The brand that {@link isHeadwiseError} looks for: classes of two copies of this package are not the same. */
  get headwise(): true {
    return true;
  }
}

/**
 * Whether an error is one of Headwise, of any copy or version of its packages; `error.name` tells which.
 *
 * @example
 * if (isHeadwiseError(error)) console.error(error.message);
 * else throw error;
 */
export function isHeadwiseError(error: unknown): error is HeadwiseError {
  return error instanceof Error && (error as Partial<HeadwiseError>).headwise === true;
}
