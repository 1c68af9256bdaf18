import { InputError } from '@headwise/core';
import type { PeftConfig } from './peft-config.js';
import { fullMatcher } from './python-pattern.js';

/** A property of a module, by its name in Hugging Face's model. */
export type ModuleTest = (module: string) => boolean;

/** PEFT's word for every linear map but the output head. */
const allLinear = 'all-linear';

/**
 * Which modules an adapter has updates of, by PEFT's rules: `target_modules`, without `exclude_modules` and
 * `modules_to_save`, of the layers in `layers_to_transform`.
 *
 * @param isHead whether a module is the output head, which `all-linear` leaves out
 * @throws InputError naming the key whose pattern cannot be used
 */
export function targetTest(config: PeftConfig, isHead: ModuleTest, name: string): ModuleTest {
  const { target_modules: targets, exclude_modules: excluded, modules_to_save: saved } = config;
  const isExcluded = excluded?.length ? namesTest(excluded, 'exclude_modules', name) : () => false;
  const isSaved: ModuleTest = (module) => saved.some((part) => `.${module}.`.includes(`.${part}.`));
  const everyMap = typeof targets === 'string' && targets.toLowerCase() === allLinear;
  const isTarget: ModuleTest = everyMap
    ? (module) => !isHead(module)
    : namesTest(targets, 'target_modules', name);
  const inLayers = layersTest(config, name);
  return (module) =>
    !isExcluded(module) &&
    !isSaved(module) &&
    isTarget(module) &&
    // A full name is not restricted by `layers_to_transform`.
    ((Array.isArray(targets) && targets.includes(module)) || inLayers(module));
}

/** Whether a module is one of those that are saved whole: its name ends as one of theirs. */
export const savedTest =
  ({ modules_to_save: saved }: PeftConfig): ModuleTest =>
  (module) =>
    saved.some((name) => module.endsWith(name));

/**
 * The value that a table of patterns has for a module: of the first pattern that matches the end of its name.
 *
 * @throws InputError naming the key whose pattern cannot be used
 */
export function patternTable(
  table: Readonly<Record<string, number>>,
  key: 'rank_pattern' | 'alpha_pattern',
  name: string,
): (module: string) => number | undefined {
  const entries = Object.entries(table).map(
    ([pattern, value]) => [matcher(`(?:.*\\.)?(?:${pattern})`, key, name), value] as const,
  );
  return (module) => entries.find(([matches]) => matches(module))?.[1];
}

/** A pattern of whole names, or names and ends of names. */
function namesTest(names: string | string[], key: string, name: string): ModuleTest {
  if (typeof names === 'string') return matcher(names, key, name);
  return (module) => names.some((part) => module === part || module.endsWith(`.${part}`));
}

function layersTest(config: PeftConfig, name: string): ModuleTest {
  const { layers_to_transform: layers, layers_pattern: pattern } = config;
  const numbers = typeof layers === 'number' ? [layers] : (layers ?? []);
  if (numbers.length === 0 && typeof layers !== 'number') return () => true;
  const patterns = typeof pattern === 'string' ? [pattern] : (pattern ?? []);
  const tests =
    patterns.filter((text) => text !== '').length === 0
      ? // The list of layers stands in a module of the model.
        [(list: string) => list.includes('.')]
      : patterns.map((text) => matcher(`(?:.*?\\.)?(?:${text})`, 'layers_pattern', name));
  return (module) => {
    const parts = module.split('.');
    for (const matches of tests) {
      // The first number below a list of layers; a number at the end is not a layer with modules.
      const at = parts.findIndex(
        (part, i) =>
          /^\d+$/.test(part) &&
          i > 0 &&
          i < parts.length - 1 &&
          matches(parts.slice(0, i).join('.')),
      );
      if (at >= 0) return numbers.includes(Number(parts[at]));
    }
    return false;
  };
}

function matcher(pattern: string, key: string, name: string): ModuleTest {
  try {
    return fullMatcher(pattern);
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${name}: '${key}': ${error.message}`);
    throw error;
  }
}
