import type { ApiError } from '../http/api-error.js';
import { dataEvent } from '../http/event-stream.js';
import type { Service } from '../service.js';

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'server_error',
};

/** The body of an error as OpenAI's API writes it. */
export function openAiErrorBody({ status, message, code, param }: ApiError): { error: object } {
  const type = types[status] ?? 'invalid_request_error';
  return { error: { message, type, param: param ?? null, code: code ?? null } };
}

/** The event that an error becomes after the first event of a stream. */
export const openAiErrorEvent =
  (service: Service) =>
  (error: unknown): string => {
    const known = service.errorOf(error);
    return dataEvent(openAiErrorBody(known));
  };
