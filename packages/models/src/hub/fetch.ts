import { InputError } from '@headwise/core';
import { checkAddress, type HubPlace } from './address.js';

/** The most redirects that are followed. */
const MAX_REDIRECTS = 5;

/**
 * Asks a hub, and follows its redirects: to known hosts over https only, and with the token to the hub's own host only.
 *
 * @throws InputError for a redirect that may not be followed, naming where it leads
 */
export async function hubFetch(
  place: HubPlace,
  address: URL,
  init: RequestInit = {},
): Promise<Response> {
  let url = address;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const headers = new Headers(init.headers);
    if (place.token !== undefined && url.origin === place.endpoint.origin) {
      headers.set('authorization', `Bearer ${place.token}`);
    }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    // A browser does not say where a redirect leads. It follows it, without the token on another origin; then we see.
    if (response.type === 'opaqueredirect') return followed(place, address, { ...init, headers });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    url = new URL(location, url);
    checkAddress(place, url, `${address.href}: is redirected to '${url.origin}', which`);
  }
  throw new InputError(`${address.href}: is redirected more than ${MAX_REDIRECTS} times`);
}

async function followed(place: HubPlace, address: URL, init: RequestInit): Promise<Response> {
  const response = await fetch(address, { ...init, redirect: 'follow' });
  const url = new URL(response.url);
  try {
    checkAddress(place, url, `${address.href}: is redirected to '${url.origin}', which`);
  } catch (error) {
    await response.body?.cancel();
    throw error;
  }
  return response;
}

/** A hub does not give a repository. */
export class RepositoryError extends InputError {}

/** The error for an answer of a hub that is not a file. */
export function refusal(place: HubPlace, what: string, response: Response): InputError {
  const { repository, revision, token } = place;
  const code = response.headers.get('x-error-code');
  const said = response.headers.get('x-error-message');
  const why = said ? `: ${said}` : '';
  const { status } = response;
  if (code === 'RevisionNotFound') {
    return new RepositoryError(`${repository}: has no revision '${revision}'`);
  }
  if (code === 'GatedRepo') {
    return new RepositoryError(
      `${repository}: is open to those only who accepted its conditions; expected the token of one of them${why}`,
    );
  }
  if (status === 401 || status === 403) {
    return new RepositoryError(
      token === undefined
        ? `${repository}: there is no such repository, or it needs a token (the hub answers ${status})${why}`
        : `${repository}: the hub refuses the token, or has no such repository (it answers ${status})${why}`,
    );
  }
  if (status === 404) return new RepositoryError(`${repository}: the hub has no ${what}${why}`);
  return new RepositoryError(
    `${repository}: ${what} cannot be fetched: the hub answers ${status} ${response.statusText}${why}`,
  );
}
