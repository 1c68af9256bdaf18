import { InputError } from '@headwise/core';

const hub = 'https://huggingface.co';
/** `gpt2` or `owner/name`, as the hub names models. */
const modelName = /^[\w.-]{1,96}(\/[\w.-]{1,96})?$/;

/** What a visitor may type. */
export const addressHint =
  'A name on huggingface.co such as gpt2 or owner/name, its page there, or the address of a folder.';

/**
 * The address of the folder that a visitor means.
 *
 * @param text a name on the hub, a page of the hub, or the address of a folder, also below the lab's own
 * @param page where the lab lies
 * @throws InputError saying what to type
 */
export function folderAddress(text: string, page: string): string {
  const typed = text.trim();
  const wrong = (why: string) => new InputError(`${why}. ${addressHint}`);
  if (typed === '') throw wrong('The address is empty');
  // What lies beside the lab: the models that come with it are in `models/`.
  if (/^(\.{0,2}\/|models\/)/.test(typed)) return new URL(typed, page).href;
  if (modelName.test(typed)) return `${hub}/${typed}/resolve/main`;
  const full = /^(www\.)?(huggingface\.co|hf\.co)\//.test(typed) ? `https://${typed}` : typed;
  if (!URL.canParse(full)) throw wrong(`'${typed}' is not an address`);
  const url = new URL(full);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw wrong(`'${typed}' is not an address of the web`);
  }
  if (!/^(www\.)?(huggingface\.co|hf\.co)$/.test(url.hostname)) return url.href;
  return onHub(url) ?? refuse(wrong(`'${typed}' is not the page of a model`));
}

/** The folder of a page of the hub: of a model, one of its versions, or one of its files. */
function onHub({ pathname }: URL): string | undefined {
  const parts = pathname.split('/').filter((part) => part !== '');
  const kinds = ['resolve', 'tree', 'blob', 'raw'];
  const at = parts.findIndex((part) => kinds.includes(part));
  const name = (at < 0 ? parts : parts.slice(0, at)).join('/');
  if (!modelName.test(name) || /^(datasets|spaces)(\/|$)/.test(name)) return undefined;
  const [version = 'main', ...path] = at < 0 ? [] : parts.slice(at + 1);
  const inFile = /\.(json|safetensors|txt|md|bin|model)$/.test(path.at(-1) ?? '');
  const folder = inFile ? path.slice(0, -1) : path;
  return [hub, name, 'resolve', version, ...folder].join('/');
}

function refuse(error: InputError): never {
  throw error;
}
