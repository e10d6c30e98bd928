import { Timer } from 'lucide-react';
import type { KeyboardEvent } from 'react';
import { milliseconds } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import type { CaptionLatency } from './caption-latency.ts';

const text = strings.live.latency;

/** How far finished captions are behind; and words, and what the way here takes, for whoever opens it. */
export function LatencyBadge({ latency }: { latency: CaptionLatency }) {
  const { finalMs, partialMs, deliveryMs } = latency;
  return (
    <details className="relative" onKeyDown={closeOnEscape}>
      <summary
        title={text.title}
        className="flex min-h-7 cursor-pointer list-none items-center gap-1.5 rounded-full px-2 text-xs font-medium text-soft tabular-nums hover:bg-well hover:text-ink [&::-webkit-details-marker]:hidden"
      >
        <Timer aria-hidden className="size-3.5" />
        <span className="sr-only">{text.title}: </span>
        {milliseconds(finalMs)}
      </summary>
      <div className="absolute left-0 z-10 mt-1.5 w-72 max-w-[80vw] rounded-xl border border-line bg-card p-4 text-sm shadow-lg">
        <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-1 tabular-nums">
          <Time name={text.finished} ms={finalMs} />
          {partialMs !== null && <Time name={text.words} ms={partialMs} />}
          <Time name={text.delivery} ms={deliveryMs} />
        </dl>
        <p className="mt-2 text-soft">{text.explanation}</p>
      </div>
    </details>
  );
}

function Time({ name, ms }: { name: string; ms: number }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd className="whitespace-nowrap">{milliseconds(ms)}</dd>
    </>
  );
}

function closeOnEscape(event: KeyboardEvent<HTMLDetailsElement>): void {
  if (event.key === 'Escape') event.currentTarget.open = false;
}
