import type { Segment } from '@dialoglens/protocol';
import { memo, useState } from 'react';
import { clockTime, duration, legible } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import { Name } from '../../ui/name.tsx';
import { CorrectableText } from './correctable-text.tsx';
import { marked } from './transcript-model.ts';

/** Longer than anybody speaks without a pause: the rest is shown when it is asked for. */
const shownCharacters = 3_000;

/**
 * Whether rows out of sight are laid out. What is laid out beforehand scrolls best; where there are too many rows, each
 * one waits until it comes into view, and the page opens sooner.
 */
const layouts = {
  before: '[contain:layout_paint_style] print:[contain:none]',
  inView: '[contain-intrinsic-size:auto_3.5rem] [content-visibility:auto] print:[content-visibility:visible]',
};

/** One segment of a transcript: when, who, what. */
export const SegmentRow = memo(function SegmentRow({
  segment,
  query,
  startedAt,
  nameClass,
  isLinked,
  layout,
}: {
  segment: Segment;
  query: string;
  /** Beginning of the session. */
  startedAt: number;
  nameClass: string;
  /** The address of the page names this one. */
  isLinked: boolean;
  layout: keyof typeof layouts;
}) {
  const place = duration(segment.startedAt - startedAt);
  return (
    <li
      id={segment.id}
      className={`group grid scroll-mt-32 grid-cols-[3.75rem_1fr] gap-x-3 rounded-lg px-2 py-1.5 sm:grid-cols-[4.5rem_1fr] ${layouts[layout]} ${isLinked ? 'bg-accent-well' : ''}`}
    >
      <a
        href={`#${segment.id}`}
        aria-label={strings.transcript.linkTo(place)}
        title={clockTime(segment.startedAt)}
        className="pt-0.5 text-right text-[0.8125rem] text-soft tabular-nums hover:text-accent hover:underline"
      >
        {place}
      </a>
      <div className="min-w-0">
        <Name text={segment.speaker} className={`text-[0.875rem] font-semibold ${nameClass}`} />
        <CorrectableText segment={segment} place={place}>
          <Text text={segment.text} query={query} />
        </CorrectableText>
      </div>
    </li>
  );
});

function Text({ text, query }: { text: string; query: string }) {
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > shownCharacters && !isWhole;
  return (
    <>
      {marked(legible(isLong ? text.slice(0, shownCharacters) : text), query).map((stretch) =>
        stretch.isMatch ? (
          <mark key={stretch.from} className="rounded-sm bg-wait-well text-ink">
            {stretch.text}
          </mark>
        ) : (
          stretch.text
        ),
      )}
      {isLong && (
        <button type="button" onClick={() => setWhole(true)} className="ml-1 text-accent hover:underline">
          {strings.transcript.showAll(text.length.toLocaleString())}
        </button>
      )}
    </>
  );
}
