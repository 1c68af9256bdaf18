import type { TrialLeak } from '@headwise/prompting';
import type { Output } from '../../output.js';

/** Says which questions nearly repeat an example, three of them by name. */
export function noteLeaks(out: Output, leaks: readonly TrialLeak[], which: string): void {
  if (leaks.length === 0) return;
  const named = leaks
    .slice(0, 3)
    .map(({ example, other, similarity }) => `${example} ~ ${other} (${similarity.toFixed(2)})`);
  const more = leaks.length > named.length ? ', …' : '';
  out.note(
    `headwise: ${leaks.length} questions nearly repeat an example ${which}: ${named.join(', ')}${more}; their answers say less`,
  );
}
