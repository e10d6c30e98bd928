import type { ReactNode } from 'react';

const tones = {
  good: 'bg-good-well text-good',
  wait: 'bg-wait-well text-wait',
  bad: 'bg-bad-well text-bad',
  idle: 'bg-well text-soft',
} as const;

/** A state in a word or a sentence. Colour is never all that tells it. */
export function Badge({
  tone,
  pulse = false,
  children,
}: {
  tone: keyof typeof tones;
  pulse?: boolean;
  children: ReactNode;
}) {
  return (
    <span
      className={`inline-flex max-w-full items-center gap-1.5 rounded-full px-2.5 py-0.5 text-[0.8125rem] font-medium ${tones[tone]}`}
    >
      <span
        aria-hidden
        className={`size-1.5 shrink-0 rounded-full bg-current ${pulse ? 'animate-pulse' : ''}`}
      />
      <span className="min-w-0">{children}</span>
    </span>
  );
}
