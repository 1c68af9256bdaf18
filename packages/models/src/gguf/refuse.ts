import { InputError, quoted } from '@headwise/core';

/**
 * Throws for settings that an architecture of llama.cpp does not have.
 *
 * @param allowed by key of `config.json`, what it may hold; an absent value may always be there
 * @throws InputError with a line a setting
 */
export function refuseOthers(
  config: Readonly<Record<string, unknown>>,
  allowed: Readonly<Record<string, readonly unknown[]>>,
): void {
  const problems = Object.entries(allowed).flatMap(([key, values]) => {
    const value = config[key] ?? undefined;
    if (value === undefined || values.includes(value)) return [];
    return [
      `config.json: '${key}' is ${quoted(value)}; llama.cpp computes '${config.model_type}' with ${values.map(quoted).join(' or ')} alone`,
    ];
  });
  if (problems.length > 0) throw new InputError(problems.join('\n'));
}
