import type { RoomView, TranscriptState } from '@dialoglens/protocol';
import { MicVocal } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { legible, roughly } from '../../lib/format.ts';
import { useMay } from '../../lib/me.ts';
import { paths } from '../../lib/router.ts';
import { SpeakerColours } from '../../lib/speaker-colours.ts';
import { strings } from '../../strings.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Fault } from '../../ui/fault.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { useStart } from '../rooms/room-queries.ts';
import { roomState } from '../rooms/room-state.ts';
import { CaptionBanner } from './caption-banner.tsx';
import type { Captions } from './caption-feed.ts';
import { CaptionScroller, SpokenLog, useViewControl } from './caption-scroller.tsx';
import { LiveHeader } from './live-header.tsx';
import { useTextFont } from './text-font.ts';
import { useTextSize } from './text-size.ts';
import { useCaptions, useGaps, useLastSession, useRoom } from './use-captions.ts';

const text = strings.live;

/** The captions of a room as they are spoken. */
export function LivePage({ room }: { room: string }) {
  const view = useRoom(room);
  useEffect(() => {
    document.title = `${text.tab(legible(room))} · ${strings.product}`;
  }, [room]);
  const sessionId = useLastSession(view.data?.sessionId ?? null);
  return (
    <main
      id="content"
      className="mx-auto flex h-[calc(100dvh-3.5625rem)] w-full max-w-5xl flex-col sm:px-6 sm:py-4"
    >
      {view.data === undefined ? (
        <div className="p-4">
          {view.error ? <Failure error={view.error} retry={() => void view.refetch()} /> : <Loading />}
        </div>
      ) : (
        <Live room={room} view={view.data} sessionId={sessionId} />
      )}
    </main>
  );
}

function Live({ room, view, sessionId }: { room: string; view: RoomView | null; sessionId: string | null }) {
  const { captions, link, latency } = useCaptions(sessionId);
  const control = useViewControl(captions);
  const size = useTextSize();
  const font = useTextFont();
  const [colours] = useState(() => new SpeakerColours());
  return (
    <div className="flex min-h-0 flex-1 flex-col overflow-hidden border-line bg-card sm:rounded-xl sm:border">
      <LiveHeader
        room={room}
        view={view}
        latency={latency}
        sessionId={sessionId}
        control={control}
        size={size}
        font={font}
      />
      <CaptionBanner view={view} />
      <Banners view={view} sessionId={sessionId} link={link} captions={captions} />
      {sessionId === null ? (
        <div className="overflow-y-auto p-4 sm:p-8">
          <NoSession room={room} view={view} />
        </div>
      ) : (
        <CaptionScroller
          control={control}
          colours={colours}
          textClass={`${size.sizeClass} ${font.fontClass}`}
        />
      )}
      <SpokenLog captions={captions} />
    </div>
  );
}

function NoSession({ room, view }: { room: string; view: RoomView | null }) {
  const start = useStart();
  const { operate } = useMay();
  if (view !== null && view.status !== 'stopped') {
    return (
      <Empty icon={MicVocal} title={roomState(view).text}>
        <p className="mt-1 text-soft">{text.noSession}</p>
      </Empty>
    );
  }
  return (
    <Empty icon={MicVocal} title={text.notAsked}>
      <p className="mt-1 text-soft">{operate ? text.notAskedText : strings.rooms.emptyForReaders}</p>
      {operate && (
        <Button
          look="primary"
          className="mt-4"
          disabled={start.isPending}
          onClick={() => start.mutate({ room, settings: {} })}
        >
          {start.isPending ? strings.rooms.starting : strings.rooms.start}
        </Button>
      )}
      <Fault error={start.error} className="mt-3" />
    </Empty>
  );
}

/** What the reader must know about the captions: that they are late, incomplete, or over. */
function Banners({
  view,
  sessionId,
  link,
  captions,
}: {
  view: RoomView | null;
  sessionId: string | null;
  link: TranscriptState;
  captions: Captions;
}) {
  const gaps = useGaps(sessionId);
  const state = view ? roomState(view) : null;
  return (
    <div role="status">
      {link === 'lost' && <Banner tone="bad">{text.lost}</Banner>}
      {state?.tone === 'bad' && <Banner tone="bad">{state.text}</Banner>}
      {gaps && (
        <Banner tone="wait">
          {text.gap(roughly(gaps.totalMs), strings.gaps[gaps.reason] ?? gaps.reason)}
        </Banner>
      )}
      {captions.endReason !== null && sessionId !== null && (
        <Banner tone="idle">
          {text.ended(captions.endReason)}{' '}
          <ButtonLink look="quiet" href={paths.session(sessionId)} className="underline">
            {text.endedLink}
          </ButtonLink>
        </Banner>
      )}
    </div>
  );
}

const bannerLooks = {
  bad: 'bg-bad-well text-bad',
  wait: 'bg-wait-well text-wait',
  idle: 'bg-well text-ink',
} as const;

function Banner({ tone, children }: { tone: keyof typeof bannerLooks; children: ReactNode }) {
  return <div className={`px-4 py-2 text-sm font-medium sm:px-7 ${bannerLooks[tone]}`}>{children}</div>;
}
