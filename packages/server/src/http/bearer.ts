import type { MiddlewareHandler } from 'hono';
import { ApiError } from './api-error.js';

const encoder = new TextEncoder();

/** Lets only requests through that carry the key as a bearer token, or as Anthropic's clients send it, in `x-api-key`. */
export function requireKey(key: string): MiddlewareHandler {
  const expected = digest(key);
  return async (context, next) => {
    const given =
      /^bearer +(.+)$/i.exec(context.req.header('authorization') ?? '')?.[1] ??
      context.req.header('x-api-key');
    if (given === undefined) {
      throw new ApiError(401, 'a key is missing; expected the header Authorization: Bearer KEY', {
        code: 'missing_api_key',
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
    if (!areEqual(await digest(given), await expected)) {
      throw new ApiError(401, 'the key is not the one of this server', { code: 'invalid_api_key' });
    }
    await next();
  };
}

const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)));

/** Compares digests in a time that does not depend on where they differ. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
