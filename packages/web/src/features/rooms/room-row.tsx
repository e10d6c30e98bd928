import type { RoomView } from '@dialoglens/protocol';
import { AudioLines, Captions, Mic, Square } from 'lucide-react';
import { useState } from 'react';
import { legible, timeOfDay } from '../../lib/format.ts';
import { useMay } from '../../lib/me.ts';
import { paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Fault } from '../../ui/fault.tsx';
import { Link } from '../../ui/link.tsx';
import { Modal } from '../../ui/modal.tsx';
import { Name } from '../../ui/name.tsx';
import { captionTrouble } from '../live/caption-trouble.ts';
import { useStop } from './room-queries.ts';
import { roomState } from './room-state.ts';

const text = strings.rooms;
const troubleLooks = { bad: 'text-bad', wait: 'text-wait' } as const;

/** One room: how it stands, and what can be done about it. */
export function RoomRow({ view, slots }: { view: RoomView; slots: number | undefined }) {
  const { tone, text: state } = roomState(view, slots);
  const trouble = captionTrouble(view.captions, Date.now());
  const { speaking = [] } = view;
  const { operate } = useMay();
  const details = [
    text.since(timeOfDay(view.since)),
    view.demand?.settings.language,
    view.demand ? text.askedBy[view.demand.source] : undefined,
  ].filter((detail) => detail !== undefined);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-3 px-4 py-3.5 sm:px-5">
      <div className="min-w-0 flex-1 basis-64">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <Link href={paths.room(view.room)} className="min-w-0 font-semibold hover:underline">
            <Name text={view.room} />
          </Link>
          <Badge tone={trouble?.tone ?? tone} pulse={trouble === null && tone === 'good'}>
            {state}
          </Badge>
        </div>
        {speaking.length > 0 && (
          <p className="mt-0.5 flex min-w-0 items-center gap-1.5 text-sm text-good">
            <AudioLines aria-hidden className="size-4 shrink-0" />
            <Name text={text.speaking(speaking)} />
          </p>
        )}
        {trouble && <p className={`mt-0.5 text-sm ${troubleLooks[trouble.tone]}`}>{trouble.text}</p>}
        <p className="mt-0.5 text-[0.8125rem] text-soft">{details.join(' · ')}</p>
      </div>
      <div className="flex flex-wrap gap-2">
        <ButtonLink href={paths.room(view.room)}>
          <Captions aria-hidden className="size-4" />
          {text.captions}
        </ButtonLink>
        {operate && (
          <ButtonLink href={paths.join(view.room)}>
            <Mic aria-hidden className="size-4" />
            {text.join}
          </ButtonLink>
        )}
        {operate && view.status !== 'stopped' && <StopButton room={view.room} />}
      </div>
    </li>
  );
}

function StopButton({ room }: { room: string }) {
  const [asks, setAsks] = useState(false);
  const stop = useStop();
  const confirm = () => stop.mutate(room, { onSuccess: () => setAsks(false) });
  return (
    <>
      <Button look="quiet" onClick={() => setAsks(true)} aria-label={`${text.stop}: ${legible(room)}`}>
        <Square aria-hidden className="size-4" />
        {text.stop}
      </Button>
      <Modal open={asks} onClose={() => setAsks(false)} title={text.stopTitle(legible(room))}>
        <p className="text-soft">{text.stopText}</p>
        <Fault error={stop.error} className="mt-3" />
        <div className="mt-5 flex justify-end gap-2">
          <Button onClick={() => setAsks(false)}>{strings.cancel}</Button>
          <Button look="danger" onClick={confirm} disabled={stop.isPending}>
            {stop.isPending ? text.stopping : text.stop}
          </Button>
        </div>
      </Modal>
    </>
  );
}
