import type { KeyboardEvent, ReactElement } from 'react';

/**
 * A token within a line of text, to point at and to choose: as wide as its text, and broken with it.
 *
 * A token that is a part of a character has no text and shows its bytes; a line's end shows a mark. Neither is
 * in the text itself, which can be selected and copied.
 */
export function InlineToken({
  text,
  bytes,
  className,
  label,
  title,
  onPoint,
  onChoose,
}: {
  text: string;
  bytes?: string | undefined;
  className: string;
  label?: string | undefined;
  title?: string | undefined;
  onPoint?: (() => void) | undefined;
  /** Undefined where there is nothing to choose. */
  onChoose?: (() => void) | undefined;
}): ReactElement {
  const button = onChoose && {
    role: 'button',
    tabIndex: 0,
    'aria-label': label,
    onClick: onChoose,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      onChoose();
    },
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a button where it can be chosen; a real one would not break with the text
    <span
      className={`token ${className}`}
      title={title}
      data-bytes={text === '' ? (bytes ?? '') : undefined}
      data-breaks={text.includes('\n') ? '⏎'.repeat(text.split('\n').length - 1) : undefined}
      onPointerEnter={onPoint}
      onFocus={onPoint}
      {...button}
    >
      {text}
    </span>
  );
}
