import { ArrowDown } from 'lucide-react';
import { type RefObject, useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState } from 'react';
import { clockTime, legible } from '../../lib/format.ts';
import type { SpeakerColours } from '../../lib/speaker-colours.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Name } from '../../ui/name.tsx';
import { type Captions, inTurns, type Turn } from './caption-feed.ts';
import { CaptionLine } from './caption-line.tsx';
import { type Following, followingFromStart, isAtEdge, nextFollowing } from './following.ts';

const text = strings.live;

/** What the view is told to do, and what it tells. */
export interface ViewControl {
  following: Following;
  /** The captions that are shown: those of the moment it was paused, while it is. */
  shown: Captions;
  pause(): void;
  jump(): void;
  scrolled(atEdge: boolean): void;
}

/** Decides what is shown of `captions`, and whether it goes along with them. */
export function useViewControl(captions: Captions): ViewControl {
  const [following, dispatch] = useReducer(nextFollowing, followingFromStart);
  const [frozen, setFrozen] = useState<Captions | null>(null);
  const count = captions.segments.length;
  const counted = useRef(count);
  useEffect(() => {
    const more = count - counted.current;
    counted.current = count;
    if (more > 0) dispatch({ type: 'arrived', count: more });
  }, [count]);
  return {
    following,
    shown: frozen ?? captions,
    pause() {
      setFrozen(captions);
      dispatch({ type: 'paused' });
    },
    jump() {
      setFrozen(null);
      dispatch({ type: 'jumped' });
    },
    scrolled: useCallback((atEdge: boolean) => dispatch({ type: 'scrolled', atEdge }), []),
  };
}

/** What scrolls must be reachable by keyboard. */
const byKeyboard = { tabIndex: 0 };

/** The captions, which keep the newest in view until the reader looks elsewhere. */
export function CaptionScroller({
  control,
  colours,
  textClass,
}: {
  control: ViewControl;
  colours: SpeakerColours;
  /** Size and font. */
  textClass: string;
}) {
  const { following, shown, scrolled, jump } = control;
  const view = useRef<HTMLDivElement>(null);
  useEdge(view, following.follows);
  const onScroll = () => view.current && scrolled(isAtEdge(view.current));
  return (
    <div className="relative min-h-0 flex-1">
      <section
        ref={view}
        onScroll={onScroll}
        {...byKeyboard}
        aria-label={text.captions}
        className={`h-full overflow-y-auto overscroll-contain px-4 py-5 sm:px-7 ${textClass}`}
      >
        {shown.isCut && <p className="mb-4 text-center text-sm text-soft">{text.cut}</p>}
        {shown.segments.length === 0 && (
          <p className="py-10 text-center text-base text-soft">{text.waiting}</p>
        )}
        <ol className="mx-auto max-w-3xl space-y-[1.1em]">
          {inTurns(shown.segments).map((turn) => (
            <TurnView key={turn.id} turn={turn} nameClass={colours.textClass(turn.identity)} />
          ))}
        </ol>
      </section>
      {!following.follows && (
        <Button
          look="primary"
          onClick={jump}
          className="absolute bottom-4 left-1/2 -translate-x-1/2 rounded-full! px-4 shadow-lg"
        >
          <ArrowDown aria-hidden className="size-4" />
          {text.jump}
          {following.unseen > 0 && <span className="opacity-90">· {text.unseen(following.unseen)}</span>}
        </Button>
      )}
    </div>
  );
}

/** Keeps the end in view while `follows`, whether words come or the window changes its size. */
function useEdge(view: RefObject<HTMLDivElement | null>, follows: boolean): void {
  /** Where the view was put last. Further up, the reader has moved it, which is told by an event only later. */
  const put = useRef(0);
  // After every render: whatever was rendered may have made the content longer.
  useLayoutEffect(() => {
    if (!follows) put.current = 0;
    else if (view.current && view.current.scrollTop >= put.current - 1) put.current = toEnd(view.current);
  });
  useEffect(() => {
    const element = view.current;
    if (element === null || !follows) return undefined;
    const watcher = new ResizeObserver(() => {
      put.current = toEnd(element);
    });
    watcher.observe(element);
    const onScroll = () => {
      // Content that became shorter moves the view as well.
      if (isAtEdge(element)) put.current = element.scrollTop;
    };
    element.addEventListener('scroll', onScroll);
    return () => {
      watcher.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [follows, view]);
}

function toEnd(element: HTMLElement): number {
  element.scrollTop = element.scrollHeight;
  return element.scrollTop;
}

function TurnView({ turn, nameClass }: { turn: Turn; nameClass: string }) {
  return (
    <li>
      <div className="flex items-baseline gap-2.5">
        <Name text={turn.speaker} className={`text-[0.875em] font-semibold ${nameClass}`} />
        <time
          dateTime={new Date(turn.startedAt).toISOString()}
          className="text-[0.6875em] text-soft tabular-nums"
        >
          {clockTime(turn.startedAt)}
        </time>
      </div>
      <p dir="auto" className="[overflow-wrap:anywhere]">
        {turn.segments.map((segment, index) => (
          <span key={segment.id}>
            {index > 0 && ' '}
            <CaptionLine segment={segment} />
          </span>
        ))}
      </p>
    </li>
  );
}

/** Finals for screen readers, each read once; words that may still change are never read. */
export function SpokenLog({ captions }: { captions: Captions }) {
  return (
    <div role="log" aria-live="polite" aria-label={text.spoken} className="sr-only">
      {captions.spoken.map(({ id, speaker, text: said, language }) => (
        <p key={id} lang={language === 'auto' ? undefined : language}>
          {`${legible(speaker)}: ${legible(said.slice(0, 1_000))}`}
        </p>
      ))}
    </div>
  );
}
