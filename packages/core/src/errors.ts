import { HeadwiseError } from '@headwise/errors';

/** An argument, a configuration or a file cannot be used. */
export class InputError extends HeadwiseError {
  override readonly name: string = 'InputError';
}

/** A tensor has an unexpected shape. */
export class ShapeError extends InputError {
  override readonly name = 'ShapeError';
}

/** The requested backend cannot be started. */
export class BackendError extends InputError {
  override readonly name = 'BackendError';
}

/** The GPU device was lost; its tensors are gone. */
export class DeviceLostError extends HeadwiseError {
  override readonly name = 'DeviceLostError';
  /** What happened, without advice; for callers that restart by themselves. */
  readonly loss: string;
  constructor(
    /** The driver's word: `unknown` or `destroyed`. */
    readonly reason: string,
    message: string,
  ) {
    const why = message ? `: ${message.replace(/\.$/, '')}` : '';
    const loss = `the GPU device was lost (${reason})${why}`;
    super(`${loss}; what lay on it is gone: start the backend and load the model again`);
    this.loss = loss;
  }
}
