import type { SearchHit } from '@dialoglens/protocol';
import { dayAndTime, legible } from '../../lib/format.ts';
import { paths } from '../../lib/router.ts';
import { Link } from '../../ui/link.tsx';
import { Name } from '../../ui/name.tsx';
import { snippetParts } from './snippet.ts';

/** One hit: who said it, where and when, and the words around the match. Leads to its place in the transcript. */
export function SearchHitRow({ hit, nameClass }: { hit: SearchHit; nameClass: string }) {
  const { segment, snippet } = hit;
  return (
    <li>
      <Link
        data-hit
        href={`${paths.session(segment.sessionId)}#${segment.id}`}
        className="block px-4 py-3.5 hover:bg-well focus-visible:-outline-offset-2 sm:px-5"
      >
        <span className="flex flex-wrap items-baseline gap-x-2 text-[0.8125rem] text-soft">
          <Name text={segment.speaker} className={`text-[0.875rem] font-semibold ${nameClass}`} />
          <Name text={segment.room} />
          <span aria-hidden>·</span>
          <time dateTime={new Date(segment.startedAt).toISOString()} className="tabular-nums">
            {dayAndTime(segment.startedAt)}
          </time>
        </span>
        <span
          dir="auto"
          lang={segment.language === 'auto' ? undefined : segment.language}
          className="mt-0.5 block [overflow-wrap:anywhere]"
        >
          {snippetParts(snippet).map(({ from, text, isMatch }) =>
            isMatch ? (
              <mark key={from} className="rounded-sm bg-wait-well font-medium text-ink">
                {legible(text)}
              </mark>
            ) : (
              legible(text)
            ),
          )}
        </span>
      </Link>
    </li>
  );
}
