import { parse } from 'tldts';
import { ruleStep, type Step } from '../documents/step.js';
import { DataError } from '../errors.js';

/** Lists of {@link urlRules}. An entry that begins with `#` is a comment. */
export interface UrlRulesOptions {
  /** Registered domains and full host names whose pages are dropped; a subdomain of a listed host that is no registered domain stays. */
  domains: readonly string[];
  /** Addresses, letter for letter. */
  urls: readonly string[];
  /** Words that drop an address in which one stands between characters that are neither letters of ASCII nor digits. */
  bannedWords: readonly string[];
  /** An address with `minSoftWords` or more of these words is dropped. */
  softBannedWords: readonly string[];
  /** Default 2. */
  minSoftWords: number;
  /** Sequences that drop an address with them anywhere, in lower case and without characters but letters of ASCII and digits. */
  bannedSubwords: readonly string[];
  /** The field of `meta` that holds the address. Default `url`. */
  field: string;
}

/** Empty lists. */
export const urlRulesDefaults: UrlRulesOptions = {
  domains: [],
  urls: [],
  bannedWords: [],
  softBannedWords: [],
  minSoftWords: 2,
  bannedSubwords: [],
  field: 'url',
};

/**
 * Drops documents by their address, by lists that the user gives, with the rules and names of datatrove's `URLFilter`.
 *
 * Registered domains are those of the Public Suffix List, without its private part. Source: Penedo et al. 2023, The RefinedWeb
 * Dataset for Falcon LLM, appendix G.1, https://arxiv.org/abs/2306.01116
 *
 * @throws DataError where all lists are empty, and for a document without an address
 */
export function urlRules(options: Partial<UrlRulesOptions> = {}): Step {
  const { minSoftWords, field, ...lists } = { ...urlRulesDefaults, ...options };
  const domains = listed(lists.domains);
  const urls = listed(lists.urls);
  const banned = listed(lists.bannedWords).map(normalized);
  const soft = new Set(listed(lists.softBannedWords).map(normalized));
  const subwords = listed(lists.bannedSubwords).map(normalized);
  if ([domains, urls, banned, [...soft], subwords].every((list) => list.length === 0)) {
    throw new DataError(
      'url-rules: all lists are empty; expected entries in domains, urls, bannedWords, softBannedWords or bannedSubwords',
    );
  }
  const [domainSet, urlSet] = [new Set(domains), new Set(urls)];
  const ruleAgainst = (url: string): string | undefined => {
    const { domain, hostname } = parse(url, { validateHostname: false });
    if (domain && domainSet.has(domain)) return 'domain';
    if (domain && hostname && domainSet.has(hostname)) return 'subdomain';
    if (urlSet.has(url)) return 'url';
    const words = new Set(url.split(notPlain));
    if (banned.some((word) => words.has(word))) return 'hard_blacklisted';
    let softWords = 0;
    for (const word of soft) if (words.has(word)) softWords++;
    if (softWords >= minSoftWords) return 'soft_blacklisted';
    const joined = normalized(url);
    if (subwords.some((subword) => joined.includes(subword))) return 'blacklisted_subword';
    return undefined;
  };
  return ruleStep('url-rules', (document) => {
    const url = document.meta[field];
    if (typeof url === 'string' && url !== '') return ruleAgainst(url) ?? document;
    throw new DataError(
      `url-rules: document ${document.id} has no "${field}" that is a string; name the field of the address`,
    );
  });
}

const notPlain = /[^a-zA-Z0-9]+/;
const normalized = (word: string): string => word.split(notPlain).join('').toLowerCase();
const listed = (entries: readonly string[]): string[] =>
  entries.map((entry) => entry.trim()).filter((entry) => entry !== '' && entry[0] !== '#');
