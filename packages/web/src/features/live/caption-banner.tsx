import type { RoomView } from '@dialoglens/protocol';
import { useEffect, useState } from 'react';
import { strings } from '../../strings.ts';
import { captionTrouble, type Trouble } from './caption-trouble.ts';

const looks = { bad: 'bg-bad-well text-bad', wait: 'bg-wait-well text-wait' } as const;

/** Says that captions are late or missing, why, and when they are tried again; nothing while they do well. */
export function CaptionBanner({ view, className = '' }: { view: RoomView | null; className?: string }) {
  const nowMs = useNow(view?.captions?.retryAt !== undefined);
  const trouble = captionTrouble(view?.captions, nowMs);
  return (
    <div role="status">
      {trouble && (
        <p className={`px-4 py-2 text-sm font-medium sm:px-7 ${looks[trouble.tone]} ${className}`}>
          <Words {...trouble} />
        </p>
      )}
    </div>
  );
}

/** What counts down is not read aloud each second. */
function Words({ text, retryInSeconds }: Trouble) {
  if (retryInSeconds === null) return text;
  return (
    <>
      {text} <span aria-hidden>{strings.captionTrouble.retry(retryInSeconds)}</span>
    </>
  );
}

const tickMs = 1_000;

function useNow(ticks: boolean): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (!ticks) return undefined;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), tickMs);
    return () => clearInterval(timer);
  }, [ticks]);
  return nowMs;
}
