import type { RoomView } from '@dialoglens/protocol';
import {
  AArrowDown,
  AArrowUp,
  type LucideIcon,
  Pause,
  Play,
  ScreenShare,
  ScrollText,
  Type,
} from 'lucide-react';
import { useEffect, useRef } from 'react';
import { paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Badge } from '../../ui/badge.tsx';
import { Link } from '../../ui/link.tsx';
import { Name } from '../../ui/name.tsx';
import { roomState } from '../rooms/room-state.ts';
import type { CaptionLatency } from './caption-latency.ts';
import type { ViewControl } from './caption-scroller.tsx';
import { LatencyBadge } from './latency-badge.tsx';
import type { useTextFont } from './text-font.ts';
import type { useTextSize } from './text-size.ts';

const text = strings.live;
const iconButton =
  'grid size-9 place-items-center rounded-lg text-soft hover:bg-well hover:text-ink disabled:opacity-40';

interface ToolsProps {
  room: string;
  sessionId: string | null;
  control: ViewControl;
  size: ReturnType<typeof useTextSize>;
  font: ReturnType<typeof useTextFont>;
}

/** Whose captions these are, how the room stands, and how the captions are to be shown. */
export function LiveHeader({
  view,
  latency,
  ...tools
}: ToolsProps & { view: RoomView | null; latency: CaptionLatency | null }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const state = view ? roomState(view) : null;
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-4 py-2.5 sm:px-7">
      <div className="flex min-w-0 flex-1 basis-52 flex-wrap items-center gap-x-3 gap-y-1">
        <h1 ref={heading} tabIndex={-1} className="min-w-0 text-lg font-semibold tracking-tight">
          <Name text={tools.room} />
        </h1>
        {state && (
          <Badge tone={state.tone} pulse={state.tone === 'good'}>
            {state.text}
          </Badge>
        )}
        {latency && state?.tone === 'good' && <LatencyBadge latency={latency} />}
      </div>
      <Tools {...tools} />
    </header>
  );
}

function Tools({ room, sessionId, control, size, font }: ToolsProps) {
  const { isPaused } = control.following;
  return (
    <div className="-mx-1.5 flex items-center">
      <Tool
        icon={isPaused ? Play : Pause}
        label={isPaused ? text.resume : text.pause}
        onClick={isPaused ? control.jump : control.pause}
      />
      <Tool
        icon={AArrowDown}
        label={text.smaller}
        onClick={() => size.change(-1)}
        disabled={!size.canShrink}
      />
      <Tool icon={AArrowUp} label={text.larger} onClick={() => size.change(1)} disabled={!size.canGrow} />
      <Tool icon={Type} label={text.font(text.fonts[font.font])} onClick={font.next} />
      <a
        href={`${paths.room(room)}?overlay`}
        target="_blank"
        rel="noreferrer"
        className={iconButton}
        aria-label={text.overlay}
        title={text.overlay}
      >
        <ScreenShare aria-hidden className="size-[1.125rem]" />
      </a>
      {sessionId !== null && (
        <Link
          href={paths.session(sessionId)}
          className={iconButton}
          aria-label={text.transcript}
          title={text.transcript}
        >
          <ScrollText aria-hidden className="size-[1.125rem]" />
        </Link>
      )}
    </div>
  );
}

function Tool({
  icon: Icon,
  label,
  onClick,
  disabled = false,
}: {
  icon: LucideIcon;
  label: string;
  onClick: () => void;
  disabled?: boolean;
}) {
  return (
    <button
      type="button"
      onClick={onClick}
      disabled={disabled}
      aria-label={label}
      title={label}
      className={iconButton}
    >
      <Icon aria-hidden className="size-[1.125rem]" />
    </button>
  );
}
