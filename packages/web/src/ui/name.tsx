import { legible } from '../lib/format.ts';

/** A name somebody else chose: isolated from the text around it, on one line, whole in its tooltip. */
export function Name({ text, className = '' }: { text: string; className?: string }) {
  const shown = legible(text) || '—';
  return (
    <bdi
      dir="auto"
      title={shown.slice(0, 300)}
      className={`inline-block max-w-full truncate align-bottom ${className}`}
    >
      {shown.slice(0, 300)}
    </bdi>
  );
}
