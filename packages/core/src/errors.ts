import { HeadwiseError } from '@headwise/errors';

/** Something that was given cannot be used: a configuration, a shape, a file, a choice. */
export class InputError extends HeadwiseError {
  override readonly name: string = 'InputError';
}

/** A tensor does not have the shape that its user needs. */
export class ShapeError extends InputError {
  override readonly name = 'ShapeError';
}

/** No backend can be started as asked. */
export class BackendError extends InputError {
  override readonly name = 'BackendError';
}

/** The GPU device went away while results were pending; what it held is gone. */
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
