import type { RoomView } from '@dialoglens/protocol';
import { ArrowUpToLine, CircleCheck } from 'lucide-react';
import { useState } from 'react';
import { legible, ordinal, roughly } from '../../lib/format.ts';
import { useMay } from '../../lib/me.ts';
import { paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Link } from '../../ui/link.tsx';
import { Name } from '../../ui/name.tsx';
import { Card } from '../../ui/page.tsx';
import { Confirm } from './confirm.tsx';
import { usePriority } from './operations-queries.ts';
import { aheadOf, priorityBounds } from './priority.ts';

const text = strings.operations;

/** Rooms that wait for a slot, the next first. */
export function Queue({ waiting, now }: { waiting: readonly RoomView[]; now: number }) {
  if (waiting.length === 0) {
    return (
      <Card className="flex items-center gap-2.5 px-4 py-3.5 text-soft sm:px-5">
        <CircleCheck aria-hidden className="size-5 shrink-0 text-good" />
        {text.nobodyWaits}
      </Card>
    );
  }
  return (
    <Card>
      <ol className="divide-y divide-line">
        {waiting.map((view) => (
          <Waiting key={view.room} view={view} waiting={waiting} now={now} />
        ))}
      </ol>
    </Card>
  );
}

function Waiting({ view, waiting, now }: { view: RoomView; waiting: readonly RoomView[]; now: number }) {
  const { room, reason, queuePosition, since, demand } = view;
  const may = useMay();
  const why = strings.status.reasons[reason] ?? reason;
  const details = [why, text.waits(roughly(now - since)), text.priorityIs(demand?.priority ?? 0)];
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3 sm:px-5">
      <span className="w-9 shrink-0 font-semibold text-soft tabular-nums">
        {queuePosition === null ? '—' : ordinal(queuePosition)}
      </span>
      <div className="min-w-0 flex-1 basis-44">
        <Link href={paths.room(room)} className="font-medium hover:underline">
          <Name text={room} />
        </Link>
        <p className="text-[0.8125rem] text-soft">{details.join(' · ')}</p>
      </div>
      {may.operate && <PriorityButton view={view} waiting={waiting} />}
    </li>
  );
}

function PriorityButton({ view, waiting }: { view: RoomView; waiting: readonly RoomView[] }) {
  const [asks, setAsks] = useState(false);
  const [wished, setWished] = useState('');
  const priority = usePriority();
  const value = Number(wished);
  const isPossible =
    wished.trim() !== '' &&
    Number.isInteger(value) &&
    value >= priorityBounds.min &&
    value <= priorityBounds.max;
  const open = () => {
    setWished(String(aheadOf(view, waiting)));
    setAsks(true);
  };
  const close = () => setAsks(false);
  const confirm = () => {
    if (isPossible) priority.mutate({ room: view.room, priority: value }, { onSuccess: close });
  };
  return (
    <>
      <Button onClick={open} aria-label={`${text.raise}: ${legible(view.room)}`}>
        <ArrowUpToLine aria-hidden className="size-4" />
        {text.raise}
      </Button>
      <Confirm
        open={asks}
        onClose={close}
        title={text.raiseTitle(legible(view.room))}
        action={text.raiseAction}
        isPending={priority.isPending || !isPossible}
        error={priority.error}
        onConfirm={confirm}
      >
        <p className="mb-4 text-soft">{text.raiseText}</p>
        <Field
          label={text.priority}
          hint={text.priorityHint(priorityBounds.min, priorityBounds.max)}
          type="number"
          inputMode="numeric"
          min={priorityBounds.min}
          max={priorityBounds.max}
          value={wished}
          onChange={(event) => setWished(event.target.value)}
          onKeyDown={(event) => event.key === 'Enter' && confirm()}
        />
      </Confirm>
    </>
  );
}
