import type { ButtonHTMLAttributes, ReactElement } from 'react';
import { Icon, type IconName } from './icons.js';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: IconName;
  kind?: 'primary' | 'plain' | 'quiet' | 'bad';
  small?: boolean;
  /** Shows the icon only; the words are still read out. */
  bare?: boolean;
}

export function Button({
  icon,
  kind = 'plain',
  small = false,
  bare = false,
  children,
  ...rest
}: ButtonProps): ReactElement {
  const classes = ['button', kind === 'bad' ? 'quiet bad' : kind, small ? 'small' : ''].join(' ');
  return (
    <button type="button" className={classes} {...rest}>
      {icon && <Icon name={icon} />}
      {bare ? <span className="hidden-text">{children}</span> : children}
    </button>
  );
}
