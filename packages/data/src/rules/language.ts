import { ruleStep, type Step } from '../documents/step.js';
import { DataError } from '../errors.js';

/** Options of {@link language}. */
export interface LanguageOptions {
  /** Languages to keep, by ISO 639-1: `en`, `de`. */
  languages: readonly string[];
  /** The least score, 0 to 1, that eld must give one of them; `null` for none. Default 0. */
  minScore: number | null;
  /** Stores the code and the score in `meta.language` and `meta.languageScore`. Default false. */
  store: boolean;
}

/** No language is kept until one is named. */
export const languageDefaults: LanguageOptions = { languages: [], minScore: 0, store: false };

/**
 * Keeps documents in some languages, named by eld's n-grams of bytes; the database of 2 MB is loaded with the first document.
 *
 * @throws DataError where no language is named, or one that eld does not know
 * @see https://github.com/nitotm/efficient-language-detector-js
 */
export function language(options: Partial<LanguageOptions> = {}): Step {
  const { languages, minScore, store } = { ...languageDefaults, ...options };
  if (languages.length === 0) {
    throw new DataError('language: languages is [], expected codes of ISO 639-1 such as "en"');
  }
  const kept = new Set(languages);
  let loaded: Promise<Detector> | undefined;
  return ruleStep('language', async (document) => {
    loaded ??= detector(languages);
    const found = (await loaded).detect(document.text);
    const score = found.getScores()[found.language] ?? 0;
    if (found.language === '') return 'language_unknown';
    if (!kept.has(found.language)) return `language_${found.language}`;
    if (minScore !== null && score < minScore) return 'language_score';
    if (!store) return document;
    return {
      ...document,
      meta: { ...document.meta, language: found.language, languageScore: score },
    };
  });
}

type Detector = typeof import('eld').default;

async function detector(languages: readonly string[]): Promise<Detector> {
  const { default: eld } = await import('eld/medium');
  const known = Object.values(eld.info().Languages);
  const unknown = languages.find((code) => !known.includes(code));
  if (unknown === undefined) return eld;
  throw new DataError(
    `language: languages has ${JSON.stringify(unknown)}; expected some of ${known.sort().join(', ')}`,
  );
}
