import { useEffect, useState } from 'react';
import { legible } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import { CaptionBanner } from './caption-banner.tsx';
import { CaptionLine } from './caption-line.tsx';
import { overlayLines } from './overlay-lines.ts';
import { useCaptions, useLastSession, useRoom } from './use-captions.ts';

const tickMs = 500;

/** The last few captions on a transparent page, for a screen that is shared or a scene of OBS. */
export function OverlayPage({ room }: { room: string }) {
  const view = useRoom(room);
  const sessionId = useLastSession(view.data?.sessionId ?? null);
  const { captions } = useCaptions(sessionId);
  const [seenAt] = useState(() => new Map<string, number>());
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), tickMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <main
      aria-label={strings.live.captions}
      className="fixed inset-x-0 bottom-0 flex flex-col items-center gap-2 p-[4vmin] text-[clamp(1.25rem,3.4vmin,3rem)] leading-snug"
    >
      <h1 className="sr-only">{strings.live.captions}</h1>
      <CaptionBanner view={view.data ?? null} className="rounded-lg" />
      {overlayLines(captions.segments, seenAt, now).map((segment) => (
        <p key={segment.id} dir="auto" className="max-w-[min(60rem,92vw)] text-center leading-[1.6]">
          {/* The ground is as wide as each line of text, not as the longest a line may be. */}
          <span className="box-decoration-clone rounded-lg bg-black/80 px-[0.6em] py-[0.2em] text-white [--color-soft:#d5d9e0]">
            <span className="font-semibold text-[#ffd97a]">{legible(segment.speaker).slice(0, 60)}: </span>
            <CaptionLine segment={segment} />
          </span>
        </p>
      ))}
    </main>
  );
}
