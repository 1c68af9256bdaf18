import { HeadwiseError } from '@headwise/core';

/** The engine has no room for a request now; the same request may be accepted later. */
export class EngineBusyError extends HeadwiseError {
  override readonly name = 'EngineBusyError';
}

/** The engine is closing and accepts nothing more. */
export class EngineClosedError extends HeadwiseError {
  override readonly name = 'EngineClosedError';
}

/** A reader has left so many tokens unread that the sequence was given up. */
export class SlowReaderError extends HeadwiseError {
  override readonly name = 'SlowReaderError';
}

/** A sequence could not go on: its scores were NaN, or a processor threw; `cause` says what. */
export class SequenceFailedError extends HeadwiseError {
  override readonly name = 'SequenceFailedError';
}
