import { InputError } from '@headwise/core';

/** Where the models of a hub are, and who asks for them. */
export interface HubOptions {
  /** A branch, tag or commit; default `main`. */
  revision?: string | undefined;
  /** The access token of the person who asks; it is sent to the hub's own host only. */
  token?: string | undefined;
  /** The address of the hub; default `https://huggingface.co`. */
  endpoint?: string | undefined;
  /** Hosts, and their subdomains, that the hub may send us on to for the contents of files; default those of Hugging Face's. */
  contentHosts?: readonly string[] | undefined;
  /** Takes http where the host is this machine: for a hub under test. */
  allowLoopbackHttp?: boolean | undefined;
}

/** A repository at a revision of a hub. */
export interface HubPlace {
  /** `owner/name`. */
  repository: string;
  revision: string;
  endpoint: URL;
  contentHosts: readonly string[];
  token: string | undefined;
  allowLoopbackHttp: boolean;
}

const defaultEndpoint = 'https://huggingface.co';
const defaultContentHosts = ['huggingface.co', 'hf.co'];

const part = '[A-Za-z0-9][A-Za-z0-9._-]{0,95}';
const repositoryName = new RegExp(`^${part}/${part}$`);

const ggufInRepository = new RegExp(`^(${part}/${part})/(.+\\.gguf)$`, 'i');

/** What a text names on a hub; a relative address begins with `./` or `/`. */
export interface HubName {
  /** `owner/name`. */
  repository: string;
  /** The path of a GGUF file within it. */
  file?: string | undefined;
}

/** The repository, `owner/name`, or the file of it, `owner/name/FILE.gguf`, that a text names; undefined where it names none. */
export function hubName(text: string): HubName | undefined {
  const [, repository, file] = ggufInRepository.exec(text) ?? [];
  if (repository !== undefined && isWithin(file!)) return { repository, file: file! };
  return repositoryName.test(text) ? { repository: text } : undefined;
}

/** Whether a name stays within its folder, on every system. */
export const isWithin = (name: string): boolean =>
  !/[\\:\0]/.test(name) && name.split('/').every((part) => !/^(\.{0,2})$/.test(part));

/**
 * The repository that a name and options stand for.
 *
 * @throws InputError for a name that is not `owner/name`, an empty revision, and an address that may not be asked
 */
export function hubPlace(repository: string, options: HubOptions = {}): HubPlace {
  const { revision = 'main', token, endpoint = defaultEndpoint } = options;
  const { allowLoopbackHttp = false } = options;
  if (!repositoryName.test(repository)) {
    throw new InputError(`'${repository}' is not a repository of a hub; expected 'owner/name'`);
  }
  // Browsers and servers resolve dots in a path.
  if (typeof revision !== 'string' || revision === '' || /^\.+$/.test(revision)) {
    throw new InputError(`revision is '${revision}'; expected a branch, tag or commit`);
  }
  if (!URL.canParse(endpoint)) {
    throw new InputError(`endpoint is '${endpoint}'; expected the address of a hub`);
  }
  const place: HubPlace = {
    repository,
    revision,
    endpoint: new URL(`${endpoint.replace(/\/+$/, '')}/`),
    contentHosts: options.contentHosts ?? (endpoint === defaultEndpoint ? defaultContentHosts : []),
    token,
    allowLoopbackHttp,
  };
  checkAddress(place, place.endpoint, `endpoint '${endpoint}'`);
  return place;
}

/** The address of what the hub's API tells of a repository. */
export const listingAddress = ({ repository, revision, endpoint }: HubPlace): URL =>
  new URL(`api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`, endpoint);

/** The address of a file at a commit. */
export const fileAddress = (
  { repository, endpoint }: HubPlace,
  commit: string,
  file: string,
): URL =>
  new URL(
    `${repository}/resolve/${encodeURIComponent(commit)}/${file.split('/').map(encodeURIComponent).join('/')}`,
    endpoint,
  );

/**
 * Throws for an address that the hub may not send us on to: another host, or one without encryption.
 *
 * @param what names the address in the error
 */
export function checkAddress(place: HubPlace, url: URL, what: string): void {
  const { endpoint, contentHosts, allowLoopbackHttp } = place;
  const plain = url.protocol === 'http:' && allowLoopbackHttp && isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !plain) {
    throw new InputError(`${what} is of ${url.protocol.slice(0, -1)}; expected https`);
  }
  const known = contentHosts.some((host) => `.${url.hostname}`.endsWith(`.${host}`));
  if (url.host === endpoint.host || known) return;
  const others = contentHosts.length > 0 ? `, or the content hosts ${contentHosts.join(', ')}` : '';
  throw new InputError(
    `${what} is of the host '${url.host}'; expected the hub's, '${endpoint.host}'${others}`,
  );
}

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
