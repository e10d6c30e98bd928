import type { Segment } from '@dialoglens/protocol';
import { memo } from 'react';
import { legible } from '../../lib/format.ts';
import { strings } from '../../strings.ts';

/** More than this of one caption is for the transcript. */
const shownCharacters = 2_000;

/**
 * One caption. What has become stable never changes any more; only the tail does, and it is told apart by more than its
 * colour.
 */
export const CaptionLine = memo(function CaptionLine({ segment }: { segment: Segment }) {
  const { text, isFinal, language } = segment;
  const stableLength = isFinal ? text.length : segment.stableLength;
  const stable = legible(text.slice(0, Math.min(stableLength, shownCharacters)));
  const tail = legible(text.slice(stableLength, Math.max(shownCharacters, stableLength)));
  const hidden = text.length - shownCharacters;
  return (
    <span lang={language === 'auto' ? undefined : language} data-segment={segment.id}>
      {stable}
      {tail !== '' && <span className="text-soft italic">{tail}</span>}
      {hidden > 0 && <span className="text-soft">{strings.live.tooLong(hidden.toLocaleString())}</span>}
    </span>
  );
});
