import { faultText } from '../lib/api.ts';

/** Beside what was tried: what went wrong with it, and what to do about that. Nothing while nothing has. */
export function Fault({ error, className = '' }: { error: Error | null; className?: string }) {
  if (error === null) return null;
  return (
    <p role="alert" className={`text-bad ${className}`}>
      {faultText(error)}
    </p>
  );
}
