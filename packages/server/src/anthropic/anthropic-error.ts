import type { ApiError } from '../http/api-error.js';
import type { Service } from '../service.js';
import { namedEvent } from './events.js';

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  503: 'overloaded_error',
};

/** The body of an error as Anthropic's API writes it. */
export function anthropicErrorBody({ status, message }: ApiError): {
  type: 'error';
  error: object;
} {
  return { type: 'error', error: { type: types[status] ?? 'invalid_request_error', message } };
}

/** The event that an error becomes after the first event of a stream. */
export const anthropicErrorEvent =
  (service: Service) =>
  (error: unknown): string => {
    const known = service.errorOf(error);
    return namedEvent(anthropicErrorBody(known));
  };
