import {
  BackendError,
  DeviceLostError,
  HeadwiseError,
  InputError,
  ShapeError,
} from '@headwise/core';
import { TokenizerError } from '@headwise/tokenizers';
import {
  EngineBusyError,
  EngineClosedError,
  SequenceFailedError,
  SlowReaderError,
} from '../engine/errors.js';

/** The statuses of HTTP that errors are answered with. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 421 | 429 | 500 | 503;

export interface ErrorDetails {
  /** A word for programs, such as `model_not_found`. */
  code?: string | undefined;
  /** The field at fault. */
  param?: string | undefined;
  /** Further headers of the answer. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** An error with its status in HTTP. */
export class ApiError extends HeadwiseError {
  override readonly name = 'ApiError';
  readonly status: ErrorStatus;
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ErrorStatus, message: string, { code, param, headers }: ErrorDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param;
    this.headers = headers ?? {};
  }
}

/** Any error as one with a status: what a client gave wrong, no room, or a fault of the server, whose message stays here. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const headers = { 'retry-after': '1' };
  if (error instanceof EngineBusyError) {
    return new ApiError(429, error.message, { code: 'server_busy', headers });
  }
  if (error instanceof EngineClosedError) {
    return new ApiError(503, error.message, { code: 'shutting_down', headers });
  }
  const { cause = error } = Object(error) as { cause?: unknown };
  if (cause instanceof DeviceLostError) return deviceLost(cause);
  if (error instanceof SlowReaderError) {
    return new ApiError(408, error.message, { code: 'slow_reader' });
  }
  if (error instanceof SequenceFailedError) {
    return new ApiError(500, error.message, { code: 'generation_failed' });
  }
  const isOurs = error instanceof ShapeError || error instanceof BackendError;
  if (!isOurs && (error instanceof InputError || error instanceof TokenizerError)) {
    return new ApiError(400, error.message);
  }
  return new ApiError(500, 'the server failed; its log says why', { code: 'internal_error' });
}

/** The answer to every request once the device is lost. */
export const deviceLost = ({ loss }: DeviceLostError): ApiError =>
  new ApiError(503, `${loss}; the server has to be started again`, { code: 'device_lost' });
