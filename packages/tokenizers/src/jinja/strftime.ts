const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const millisecondsADay = 86_400_000;
/** Days since the epoch of a date by its local fields. */
const dayNumber = (year: number, month: number, day: number): number =>
  Math.round(Date.UTC(year, month, day) / millisecondsADay);

/** ISO 8601's year and week: the week of a year's first Thursday is its first. */
function isoWeek(date: Date): [year: number, week: number] {
  const today = dayNumber(date.getFullYear(), date.getMonth(), date.getDate());
  const thursday = new Date((today - ((date.getDay() + 6) % 7) + 3) * millisecondsADay);
  const year = thursday.getUTCFullYear();
  const since = Math.round(thursday.getTime() / millisecondsADay) - dayNumber(year, 0, 1);
  return [year, Math.floor(since / 7) + 1];
}

/**
 * Local time as C's `strftime` writes it in the C locale, with glibc's codes and flags.
 *
 * @see https://docs.python.org/3/library/datetime.html#format-codes
 */
export function strftime(date: Date, format: string): string {
  const dayOfYear =
    dayNumber(date.getFullYear(), date.getMonth(), date.getDate()) -
    dayNumber(date.getFullYear(), 0, 1);
  const hours12 = date.getHours() % 12 || 12;
  const week = (first: number) =>
    Math.floor((dayOfYear + 7 - ((date.getDay() + 7 - first) % 7)) / 7);
  const composite: Readonly<Record<string, string>> = {
    c: '%a %b %e %H:%M:%S %Y',
    D: '%m/%d/%y',
    F: '%Y-%m-%d',
    r: '%I:%M:%S %p',
    R: '%H:%M',
    T: '%H:%M:%S',
    x: '%m/%d/%y',
    X: '%H:%M:%S',
    h: '%b',
  };
  const numbers: Readonly<Record<string, readonly [value: number, width: number, fill?: string]>> =
    {
      C: [Math.floor(date.getFullYear() / 100), 2],
      d: [date.getDate(), 2],
      e: [date.getDate(), 2, ' '],
      g: [isoWeek(date)[0] % 100, 2],
      G: [isoWeek(date)[0], 1],
      H: [date.getHours(), 2],
      I: [hours12, 2],
      j: [dayOfYear + 1, 3],
      k: [date.getHours(), 2, ' '],
      l: [hours12, 2, ' '],
      m: [date.getMonth() + 1, 2],
      M: [date.getMinutes(), 2],
      s: [Math.floor(date.getTime() / 1000), 1],
      S: [date.getSeconds(), 2],
      u: [date.getDay() || 7, 1],
      U: [week(0), 2],
      V: [isoWeek(date)[1], 2],
      w: [date.getDay(), 1],
      W: [week(1), 2],
      y: [date.getFullYear() % 100, 2],
      Y: [date.getFullYear(), 1],
    };
  const texts: Readonly<Record<string, string>> = {
    a: days[date.getDay()]!.slice(0, 3),
    A: days[date.getDay()]!,
    b: months[date.getMonth()]!.slice(0, 3),
    B: months[date.getMonth()]!,
    f: String(date.getMilliseconds() * 1000).padStart(6, '0'),
    n: '\n',
    p: date.getHours() < 12 ? 'AM' : 'PM',
    P: date.getHours() < 12 ? 'am' : 'pm',
    t: '\t',
    '%': '%',
    // The time is one without a zone.
    z: '',
    Z: '',
  };
  return format.replace(
    /%([-_0^#]*)(\d*)[EO]?([\s\S]?)/gu,
    (whole, flags: string, wide: string, code: string) => {
      const width = Math.min(Number(wide || 0), 1000);
      const number = numbers[code];
      let text: string;
      if (number) {
        const [value, digits, fill = '0'] = number;
        const blank = flags.includes('_') ? ' ' : flags.includes('0') ? '0' : fill;
        text = flags.includes('-')
          ? String(value)
          : String(value).padStart(Math.max(width, digits), blank);
      } else {
        const inner = composite[code];
        const found = inner === undefined ? texts[code] : strftime(date, inner);
        // As glibc, which copies what it does not know.
        if (found === undefined) return whole;
        text = found.padStart(width, flags.includes('0') ? '0' : ' ');
      }
      if (flags.includes('^')) return text.toUpperCase();
      return flags.includes('#') ? (code === 'p' ? text.toLowerCase() : text.toUpperCase()) : text;
    },
  );
}
