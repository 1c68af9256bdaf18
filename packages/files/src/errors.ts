import { HeadwiseError } from '@headwise/errors';

/** A file or folder cannot be read or written, or is not what was saved; `cause` is the system's own error. */
export class FileError extends HeadwiseError {
  override readonly name: string = 'FileError';
  constructor(
    readonly path: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${reason}`, options);
  }
}

/** Another process holds the lock. */
export class LockedError extends FileError {
  override readonly name = 'LockedError';
  constructor(
    path: string,
    /** `process 123`, or what else is known of it. */
    readonly holder: string,
  ) {
    super(path, `is locked by ${holder}, which is running`);
  }
}

/** Whether the operating system refused, with a code such as `ENOSPC`. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** Names the file in an error of the system; other errors stay as they are. */
export function named(path: string, what: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return new FileError(path, `${what}: ${error.message}`, { cause: error });
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const cause = error instanceof FileError ? error.cause : error;
  return isSystemError(cause) && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
}
