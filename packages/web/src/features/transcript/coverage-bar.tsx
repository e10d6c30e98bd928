import type { CoverageView, Segment } from '@dialoglens/protocol';
import { useMemo } from 'react';
import { duration, legible, roughly } from '../../lib/format.ts';
import type { SpeakerColours } from '../../lib/speaker-colours.ts';
import { strings } from '../../strings.ts';
import { Card } from '../../ui/page.tsx';
import { type BarLane, barLanes, type Speaker } from './transcript-model.ts';

const text = strings.transcript;

/** Who spoke when, one lane a speaker, with what could not be captioned marked in it. */
export function CoverageBar({
  segments,
  coverage,
  speakers,
  startedAt,
  lengthMs,
  colours,
  onSeek,
}: {
  segments: readonly Segment[];
  coverage: CoverageView | undefined;
  speakers: readonly Speaker[];
  startedAt: number;
  lengthMs: number;
  colours: SpeakerColours;
  /** The reader wants to be this far into the meeting. */
  onSeek: (atMs: number) => void;
}) {
  const lanes = useMemo(
    () => barLanes(segments, coverage?.tracks ?? [], { startedAt, lengthMs }),
    [segments, coverage, startedAt, lengthMs],
  );
  const nameOf = new Map(speakers.map(({ identity, name }) => [identity, name]));
  return (
    <Card className="mb-6 px-4 py-3 print:hidden">
      <h2 className="mb-2 text-sm font-semibold">{text.coverage}</h2>
      <div className="grid gap-1">
        {lanes.slice(0, mostLanes).map((lane) => (
          <Lane
            key={lane.identity}
            lane={lane}
            name={legible(nameOf.get(lane.identity) ?? lane.identity)}
            fill={colours.fillClass(lane.identity)}
            lengthMs={lengthMs}
          />
        ))}
      </div>
      <input
        type="range"
        min={0}
        max={Math.max(1, Math.round(lengthMs / 1_000))}
        defaultValue={0}
        aria-label={text.seek}
        onChange={(event) => onSeek(Number(event.target.value) * 1_000)}
        className="mt-1.5 w-full accent-accent-fill"
      />
      <div className="flex justify-between text-xs text-soft tabular-nums">
        <span>{duration(0)}</span>
        <span>{duration(lengthMs)}</span>
      </div>
      {coverage && <Verdict coverage={coverage} />}
    </Card>
  );
}

/** More lanes than this tell nobody anything. */
const mostLanes = 12;

function Lane({
  lane,
  name,
  fill,
  lengthMs,
}: {
  lane: BarLane;
  name: string;
  fill: string;
  lengthMs: number;
}) {
  return (
    <svg
      viewBox="0 0 1000 10"
      preserveAspectRatio="none"
      role="img"
      aria-label={name}
      className="h-3 w-full rounded bg-well"
    >
      <title>{name}</title>
      {lane.pieces.map(({ from, length, gapReason }) => (
        <rect
          key={`${from} ${gapReason}`}
          x={from * 1000}
          width={length * 1000}
          height="10"
          className={gapReason === null ? fill : 'fill-bad'}
        >
          {gapReason !== null && (
            <title>{text.gap(roughly(length * lengthMs), strings.gaps[gapReason] ?? gapReason)}</title>
          )}
        </rect>
      ))}
    </svg>
  );
}

function Verdict({ coverage }: { coverage: CoverageView }) {
  const missingMs = coverage.tracks.reduce((sum, track) => sum + track.gapMs + track.unexplainedMs, 0);
  const isFull = coverage.complete;
  return (
    <p className={`mt-1.5 text-[0.8125rem] ${isFull ? 'text-good' : 'text-wait'}`}>
      {isFull ? text.complete : text.incomplete(roughly(missingMs))}
    </p>
  );
}
