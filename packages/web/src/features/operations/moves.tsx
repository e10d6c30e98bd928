import type { MoveView } from '@dialoglens/protocol';
import {
  ArrowRightLeft,
  CircleSlash,
  HeartCrack,
  LifeBuoy,
  LogOut,
  type LucideIcon,
  RotateCcw,
} from 'lucide-react';
import { clockTime, dayOf } from '../../lib/format.ts';
import { paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Link } from '../../ui/link.tsx';
import { MoreButton } from '../../ui/more-button.tsx';
import { Name } from '../../ui/name.tsx';
import { Card } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { useMoves } from './operations-queries.ts';

const text = strings.operations;

const looks: Record<MoveView['kind'], { icon: LucideIcon; tone: string }> = {
  takeover: { icon: LifeBuoy, tone: 'bg-bad-well text-bad' },
  lost: { icon: HeartCrack, tone: 'bg-bad-well text-bad' },
  reassigned: { icon: RotateCcw, tone: 'bg-good-well text-good' },
  handover: { icon: ArrowRightLeft, tone: 'bg-accent-well text-accent' },
  'handover called off': { icon: CircleSlash, tone: 'bg-wait-well text-wait' },
  drain: { icon: LogOut, tone: 'bg-well text-soft' },
};

/** How rooms went from worker to worker, the newest first, day by day. */
export function Moves() {
  const list = useMoves();
  if (list.data === undefined) {
    return list.error ? <Failure error={list.error} retry={() => void list.refetch()} /> : <Loading />;
  }
  const moves = list.data.pages.flatMap((page) => page.items);
  if (moves.length === 0) return <Card className="px-4 py-3.5 text-soft sm:px-5">{text.noMoves}</Card>;
  return (
    <>
      <Card className="overflow-hidden px-4 sm:px-5">
        <ol className="relative">
          {moves.map((move, index) => (
            <Move key={move.id} move={move} isNewDay={isNewDay(move, moves[index - 1])} />
          ))}
        </ol>
      </Card>
      <MoreButton list={list} />
    </>
  );
}

function isNewDay(move: MoveView, before: MoveView | undefined): boolean {
  return before === undefined || dayOf(move.at) !== dayOf(before.at);
}

function Move({ move, isNewDay: startsDay }: { move: MoveView; isNewDay: boolean }) {
  const { icon: Icon, tone } = looks[move.kind];
  return (
    <li className="border-line not-first:border-t">
      {startsDay && <p className="pt-3 text-xs font-medium text-soft">{dayOf(move.at)}</p>}
      <div className="flex items-start gap-3 py-3">
        <span className={`mt-0.5 grid size-7 shrink-0 place-items-center rounded-full ${tone}`}>
          <Icon aria-hidden className="size-4" />
        </span>
        <div className="min-w-0 flex-1">
          <p className="flex flex-wrap items-baseline gap-x-2">
            <span className="font-medium">{text.kinds[move.kind]}</span>
            {move.room !== null && <Room room={move.room} sessionId={move.sessionId} />}
          </p>
          <p className="flex flex-wrap gap-x-1.5 font-mono text-[0.8125rem] text-soft">
            {move.from !== null && <Name text={move.from} />}
            {move.to !== null && (
              <>
                <span role="img" aria-label={text.movedTo}>
                  →
                </span>
                <Name text={move.to} />
              </>
            )}
          </p>
        </div>
        <time
          dateTime={new Date(move.at).toISOString()}
          className="shrink-0 pt-0.5 text-[0.8125rem] text-soft tabular-nums"
        >
          {clockTime(move.at)}
        </time>
      </div>
    </li>
  );
}

function Room({ room, sessionId }: { room: string; sessionId: string | null }) {
  const href = sessionId === null ? paths.room(room) : paths.session(sessionId);
  return (
    <Link href={href} className="min-w-0 text-accent hover:underline">
      <Name text={room} />
    </Link>
  );
}
