import type { z } from 'zod';
import { ApiError } from './api-error.js';

/** Limits of a body. */
export interface BodyLimits {
  /** The most bytes. */
  readonly body: number;
  /** Milliseconds in which it has to arrive. */
  readonly receive: number;
}

/**
 * Reads a JSON body, never holding more bytes than the limit.
 *
 * @throws ApiError 415 for another content type and a compressed body, 413 for more bytes, 408 for one that comes too slowly, 400 for what is not JSON
 */
export async function readJsonBody(request: Request, limits: BodyLimits): Promise<unknown> {
  const [type] = (request.headers.get('content-type') ?? '').toLowerCase().split(/\s*;/);
  // Pages of other sites can send any other type without asking first (CORS).
  if (type !== 'application/json') {
    throw new ApiError(415, `the content type is '${type}'; expected application/json`);
  }
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new ApiError(
      415,
      `the content encoding is '${encoding.slice(0, 100)}'; expected none: bodies are read as they are`,
    );
  }
  const bytes = await boundedBytes(request, limits);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError(400, 'the body is not UTF-8', { code: 'invalid_json' });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, `the body is not JSON: ${(error as Error).message.slice(0, 200)}`, {
      code: 'invalid_json',
    });
  }
}

async function boundedBytes(
  request: Request,
  { body: limit, receive }: BodyLimits,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new ApiError(413, `the body has more than ${limit} bytes, which is the limit`, {
      code: 'body_too_large',
    });
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge();
  if (!request.body) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, refuse) => {
    timer = setTimeout(() => refuse(tooSlow(receive)), receive);
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) break;
      size += value.byteLength;
      if (size > limit) throw tooLarge();
      parts.push(value);
    }
  } catch (error) {
    void reader.cancel().catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

const tooSlow = (receive: number): ApiError =>
  new ApiError(408, `the body did not arrive within ${receive / 1000} s, which is the limit`, {
    code: 'request_timeout',
    headers: { connection: 'close' },
  });

/**
 * Checks a body; a field that is null counts as absent.
 *
 * @throws ApiError 400 naming every unknown field, or the first field with another kind of value
 */
export function checkedBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const found = schema.safeParse(withoutNulls(body));
  if (found.success) return found.data;
  const issues = found.error.issues;
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys' && !issue.path.length);
  if (unknown?.code === 'unrecognized_keys') {
    const names = unknown.keys.map((key) => `'${key.slice(0, 100)}'`).slice(0, 20);
    throw new ApiError(400, `unknown fields: ${names.join(', ')}`, {
      param: unknown.keys[0]!.slice(0, 100),
      code: 'unknown_field',
    });
  }
  const { path, message } = cause(issues[0]!);
  const param = path.join('.');
  throw new ApiError(400, param === '' ? message : `${param}: ${message}`, { param });
}

type Issue = Pick<z.core.$ZodIssue, 'path' | 'message'> & { errors?: z.core.$ZodIssue[][] };

/** Where a value has one of several forms and no message of its own: what is wrong within the form that fits furthest. */
function cause({ path, message, errors = [] }: Issue): Issue {
  if (message !== 'Invalid input') return { path, message };
  const nested = errors.flatMap(([first]) => (first ? [cause(first)] : []));
  const deepest = nested.sort((a, b) => b.path.length - a.path.length)[0];
  if (!deepest || deepest.path.length === 0) return { path, message };
  return { path: [...path, ...deepest.path], message: deepest.message };
}

function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}
