const mostCharacters = 4000;

/** A message shortened to what a terminal shows; the given values may have any length. */
export function shortened(message: string): string {
  if (message.length <= mostCharacters) return message;
  const [start, end] = [
    message.slice(0, 0.75 * mostCharacters),
    message.slice(-0.2 * mostCharacters),
  ];
  return `${start}\n… (${message.length} characters in all) …\n${end}`;
}
