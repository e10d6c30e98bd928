import type { Segment, SessionView } from '@dialoglens/protocol';
import { useEffect, useMemo, useState } from 'react';
import { dayAndTime, duration, legible, roughly } from '../../lib/format.ts';
import { useHash } from '../../lib/router.ts';
import { SpeakerColours } from '../../lib/speaker-colours.ts';
import { strings } from '../../strings.ts';
import { Name } from '../../ui/name.tsx';
import { Page } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { CoverageBar } from './coverage-bar.tsx';
import { FilterBar } from './filter-bar.tsx';
import { SegmentRow } from './segment-row.tsx';
import { TranscriptActions } from './transcript-actions.tsx';
import { type Filter, filtered, type Speaker, speakersOf } from './transcript-model.ts';
import { useCoverage, useSegments, useSession } from './transcript-queries.ts';

const text = strings.transcript;
/** Up to so many segments are laid out at once. */
const mostLaidOut = 3_000;

/** The record of one session. */
export function TranscriptPage({ id }: { id: string }) {
  const session = useSession(id);
  if (session.data !== undefined) return <Transcript session={session.data} />;
  return (
    <Page title={strings.sessions.title} tab={strings.sessions.title}>
      {session.error ? <Failure error={session.error} retry={() => void session.refetch()} /> : <Loading />}
    </Page>
  );
}

function Transcript({ session }: { session: SessionView }) {
  const { segments, error, isPartial, retry } = useSegments(session);
  return (
    <Page
      title={<Name text={session.room} />}
      tab={legible(session.room)}
      lead={<Lead session={session} />}
      actions={<TranscriptActions session={session} segments={segments ?? []} />}
    >
      {segments === undefined ? (
        error ? (
          <Failure error={error} retry={retry} />
        ) : (
          <Loading />
        )
      ) : segments.length === 0 ? (
        <p className="py-10 text-center text-soft">{text.empty}</p>
      ) : (
        <Reading session={session} segments={segments} isPartial={isPartial} />
      )}
    </Page>
  );
}

function Lead({ session }: { session: SessionView }) {
  const { startedAt, endedAt, endReason, language, provider } = session;
  const length = endedAt === null ? null : roughly(endedAt - startedAt);
  const facts = [dayAndTime(startedAt), length, language, provider, endReason && text.ended(endReason)];
  return (
    <>
      <p>{facts.filter((fact) => fact !== null && fact !== '').join(' · ')}</p>
      {endedAt === null && <p className="text-good">{text.running}</p>}
    </>
  );
}

function Reading({
  session,
  segments,
  isPartial,
}: {
  session: SessionView;
  segments: readonly Segment[];
  isPartial: boolean;
}) {
  const [filter, setFilter] = useState<Filter>({ query: '', identity: null });
  const speakers = useMemo(() => speakersOf(segments), [segments]);
  const shown = useMemo(() => filtered(segments, filter), [segments, filter]);
  const coverage = useCoverage(session);
  const [colours] = useState(() => new SpeakerColours());
  const lastEnd = segments.reduce((end, one) => Math.max(end, one.startedAt + one.endMs - one.startMs), 0);
  const lengthMs = Math.max(session.endedAt ?? 0, lastEnd) - session.startedAt;
  const seek = (atMs: number) => {
    const next = shown.find(({ startedAt }) => startedAt - session.startedAt >= atMs) ?? shown.at(-1);
    if (next) location.hash = next.id;
  };
  return (
    <>
      <CoverageBar
        segments={segments}
        coverage={coverage.data}
        speakers={speakers}
        startedAt={session.startedAt}
        lengthMs={lengthMs}
        colours={colours}
        onSeek={seek}
      />
      <FilterBar
        filter={filter}
        onChange={setFilter}
        speakers={speakers}
        sessionId={session.id}
        colours={colours}
        found={shown.length}
        of={segments.length}
      />
      <Segments shown={shown} query={filter.query} startedAt={session.startedAt} colours={colours} />
      {isPartial && <p className="py-4 text-center text-soft">{text.loadingRest(segments.length)}</p>}
      <PrintedSpeakers speakers={speakers} />
    </>
  );
}

function Segments({
  shown,
  query,
  startedAt,
  colours,
}: {
  shown: readonly Segment[];
  query: string;
  startedAt: number;
  colours: SpeakerColours;
}) {
  const hash = useHash();
  const linked = hash.startsWith('#seg_') ? hash.slice(1) : null;
  const isThere = shown.some(({ id }) => id === linked);
  useEffect(() => {
    if (linked !== null && isThere) document.getElementById(linked)?.scrollIntoView({ block: 'center' });
  }, [linked, isThere]);
  if (shown.length === 0) return <p className="py-10 text-center text-soft">{text.none}</p>;
  return (
    <ol className="-mx-2 space-y-1">
      {shown.map((segment) => (
        <SegmentRow
          key={segment.id}
          segment={segment}
          query={query}
          startedAt={startedAt}
          nameClass={colours.textClass(segment.identity)}
          isLinked={segment.id === linked}
          layout={shown.length > mostLaidOut ? 'inView' : 'before'}
        />
      ))}
    </ol>
  );
}

/** On paper there is no list to choose from: who spoke, and how long. */
function PrintedSpeakers({ speakers }: { speakers: readonly Speaker[] }) {
  return (
    <p className="mt-6 hidden border-t border-line pt-2 text-sm text-soft print:block">
      {speakers.map(({ name, talkMs }) => `${legible(name)} ${duration(talkMs)}`).join(' · ')}
    </p>
  );
}
