import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChatTemplate, chatTemplateOf } from '../chat-template.js';
import { TokenizerError } from '../errors.js';

const configName = 'tokenizer_config.json';
const templateName = 'chat_template.jinja';
const folderName = 'additional_chat_templates';
const ending = '.jinja';

/**
 * Reads the chat template of a model's folder: `chat_template.jinja` and `additional_chat_templates/*.jinja`, else
 * `chat_template` of `tokenizer_config.json`, where its special tokens stand too.
 *
 * @throws TokenizerError where there is none, naming where it looked, or one cannot be read
 */
export async function loadChatTemplate(folder: string): Promise<ChatTemplate> {
  const found = await findChatTemplate(folder);
  if (found) return found;
  const [file, others, config] = [templateName, folderName, configName].map((n) => join(folder, n));
  throw new TokenizerError(
    `no chat template: looked in ${file}, ${others} and chat_template of ${config}`,
  );
}

/**
 * The chat template of a model's folder, as `loadChatTemplate` reads it; undefined where there is none.
 *
 * @param template Jinja that takes the place of the folder's templates; special tokens are the folder's
 * @throws TokenizerError where one cannot be read
 */
export async function findChatTemplate(
  folder: string,
  template?: string,
): Promise<ChatTemplate | undefined> {
  const configPath = join(folder, configName);
  const configText = await textOf(configPath);
  let config: unknown = {};
  try {
    if (configText !== undefined) config = JSON.parse(configText);
  } catch (error) {
    throw new TokenizerError(`${configPath}: is not JSON: ${(error as Error).message}`);
  }
  const found =
    template === undefined ? await templatesOf(folder) : { default: { source: template } };
  const entries = Object.entries(found as Record<string, FoundTemplate>);
  return chatTemplateOf(config, {
    templates: Object.fromEntries(entries.map(([name, { source }]) => [name, source])),
    paths: Object.fromEntries(entries.flatMap(([name, { path }]) => (path ? [[name, path]] : []))),
    name: configPath,
  });
}

interface FoundTemplate {
  source: string;
  /** Absent for one that was given. */
  path?: string | undefined;
}

async function templatesOf(folder: string): Promise<Record<string, FoundTemplate>> {
  const templates: Record<string, FoundTemplate> = {};
  const add = async (name: string, path: string) => {
    const source = await textOf(path);
    if (source !== undefined) templates[name] = { source, path };
  };
  await add('default', join(folder, templateName));
  const others = await readdir(join(folder, folderName)).catch(missing);
  for (const file of (others ?? []).filter((other) => other.endsWith(ending)).sort()) {
    await add(file.slice(0, -ending.length), join(folder, folderName, file));
  }
  return templates;
}

const textOf = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(missing);

/** Undefined for a file that is not there; any other error stays. */
function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw new TokenizerError(`${error.path}: cannot be read: ${error.message}`);
}
