import type { ButtonHTMLAttributes } from 'react';
import { Link } from './link.tsx';

type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const base =
  'inline-flex min-h-9 items-center justify-center gap-1.5 rounded-lg px-3 text-sm font-medium whitespace-nowrap transition-colors disabled:opacity-55';
const looks: Record<Look, string> = {
  primary: 'bg-accent-fill text-white hover:brightness-110',
  plain: 'border border-line bg-card text-ink hover:bg-well',
  quiet: 'text-soft hover:bg-well hover:text-ink',
  danger: 'border border-line bg-card text-bad hover:bg-bad-well',
};

/** The classes of a button, for elements that are not ours. */
export function buttonClass(look: Look = 'plain', more = ''): string {
  return `${base} ${looks[look]} ${more}`;
}

export function Button({
  look = 'plain',
  className = '',
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look }) {
  return <button type="button" className={buttonClass(look, className)} {...rest} />;
}

/** A link that looks like a button. */
export function ButtonLink({
  look = 'plain',
  className = '',
  ...rest
}: Parameters<typeof Link>[0] & { look?: Look }) {
  return <Link className={buttonClass(look, className)} {...rest} />;
}
