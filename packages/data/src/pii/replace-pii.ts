import { ruleStep, type Step } from '../documents/step.js';

/** Placeholders of {@link replacePii}; `null` leaves that kind as it is. */
export interface ReplacePiiOptions {
  /** Default `<EMAIL>`. */
  email: string | null;
  /** Default `<PHONE>`: international numbers that begin with `+`, and North American ones with an area code. */
  phone: string | null;
  /** Default `<IP>`: public IPv4 addresses. */
  ip: string | null;
  /** Default `<CARD>`: 13 to 19 digits whose check digit is right. */
  card: string | null;
}

/** The placeholders. */
export const replacePiiDefaults: ReplacePiiOptions = {
  email: '<EMAIL>',
  phone: '<PHONE>',
  ip: '<IP>',
  card: '<CARD>',
};

interface Kind {
  readonly pattern: RegExp;
  isOne(match: string): boolean;
}

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const octet = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';

/** In the order in which they are replaced. */
const kinds: Record<keyof ReplacePiiOptions, Kind> = {
  email: {
    // The expression of datatrove, without addresses in brackets.
    pattern: new RegExp(`(?<![\\w.])${atom}(?:\\.${atom})*@(?:${label}\\.)+${label}`, 'g'),
    isOne: () => true,
  },
  ip: {
    pattern: new RegExp(`(?<![\\w.])(?:${octet}\\.){3}${octet}(?!\\w|\\.\\d)`, 'g'),
    isOne: isPublicAddress,
  },
  card: { pattern: /(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)/g, isOne: hasCheckDigit },
  phone: {
    pattern:
      /(?<![\w.+])(?:\+[1-9](?:[ .-]?\(?\d+\)?){1,7}|(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4})(?!\w|[.-]\d)/g,
    isOne: (match) => match[0] !== '+' || isBetween(match.replace(/\D/g, '').length, 8, 15),
  },
};

/**
 * Replaces e-mail addresses, public IPv4 addresses, card numbers and phone numbers with named placeholders.
 *
 * Patterns find what is written in a usual form; names and postal addresses stay.
 */
export function replacePii(options: Partial<ReplacePiiOptions> = {}): Step {
  const placeholders = { ...replacePiiDefaults, ...options };
  return ruleStep('replace-pii', (document) => {
    let { text } = document;
    for (const [kind, { pattern, isOne }] of Object.entries(kinds)) {
      const placeholder = placeholders[kind as keyof ReplacePiiOptions];
      if (placeholder === null) continue;
      text = text.replace(pattern, (match) => (isOne(match) ? placeholder : match));
    }
    return text === document.text ? document : { ...document, text };
  });
}

const isBetween = (value: number, least: number, most: number) => value >= least && value <= most;

/** Whether an address is none of the blocks for private and special use (RFC 6890). */
function isPublicAddress(address: string): boolean {
  const [a, b, c] = address.split('.').map(Number) as [number, number, number, number];
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 100) return !isBetween(b, 64, 127);
  if (a === 169) return b !== 254;
  if (a === 172) return !isBetween(b, 16, 31);
  if (a === 192) return !(b === 168 || (b === 0 && (c === 0 || c === 2)));
  if (a === 198) return !(isBetween(b, 18, 19) || (b === 51 && c === 100));
  return !(a === 203 && b === 0 && c === 113);
}

/** Luhn's sum: https://en.wikipedia.org/wiki/Luhn_algorithm */
function hasCheckDigit(number: string): boolean {
  const digits = number.replace(/\D/g, '');
  if (/^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? 2 * digit : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
