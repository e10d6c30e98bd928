import type { JoinAnswer } from '@dialoglens/protocol';
import { useMutation } from '@tanstack/react-query';
import { Mic, ShieldCheck } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { ApiError, postJson, roomApi } from '../../lib/api.ts';
import { legible } from '../../lib/format.ts';
import { useMe } from '../../lib/me.ts';
import { paths } from '../../lib/router.ts';
import { keep, kept } from '../../lib/theme.ts';
import { strings } from '../../strings.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Name } from '../../ui/name.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Loading } from '../../ui/states.tsx';
import { InCall } from './in-call.tsx';
import type { RoomCall } from './room-call.ts';

const text = strings.join;
const nameKey = 'dialoglens.name';

/** Joining a room with a microphone, from the browser. */
export function JoinPage({ room }: { room: string }) {
  const [call, setCall] = useState<RoomCall | null>(null);
  const current = useRef<RoomCall | null>(null);
  current.current = call;
  // Who goes to another page leaves the room.
  useEffect(() => () => void current.current?.leave(), []);
  if (call !== null) return <InCall room={room} call={call} onLeft={() => setCall(null)} />;
  return (
    <Page title={<Name text={room} />} tab={text.tab(legible(room))} lead={text.lead}>
      <Door room={room} onJoined={setCall} />
    </Page>
  );
}

/** The entrance, for those who may come in. */
function Door(props: { room: string; onJoined: (call: RoomCall) => void }) {
  const me = useMe();
  // Where the server cannot say who asks, it will say so again to whoever tries.
  if (me.isPending) return <Loading />;
  if (me.data === undefined || me.data.may.operate) return <Entrance {...props} />;
  return (
    <Card className="grid max-w-lg justify-items-start gap-4 p-5 sm:p-6">
      <p>{text.notForReaders}</p>
      <ButtonLink href={paths.room(props.room)}>{strings.rooms.captions}</ButtonLink>
    </Card>
  );
}

/** Asks for a token, for transcription, and for the microphone, in this order. */
async function join(room: string, name: string): Promise<RoomCall> {
  const [answer, { RoomCall: Call }] = await Promise.all([
    postJson<JoinAnswer>(roomApi(room, '/join-token'), { name }),
    import('./room-call.ts'),
    postJson(roomApi(room, '/start-transcription')),
  ]);
  const call = new Call();
  try {
    await call.join(answer);
    return call;
  } catch (thrown) {
    await call.leave();
    throw thrown;
  }
}

function Entrance({ room, onJoined }: { room: string; onJoined: (call: RoomCall) => void }) {
  const [name, setName] = useState(() => kept(nameKey) ?? '');
  const joining = useMutation({ mutationFn: () => join(room, name.trim()), onSuccess: onJoined });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    keep(nameKey, name.trim());
    joining.mutate();
  };
  return (
    <Card className="max-w-lg p-5 sm:p-6">
      <form onSubmit={submit} className="grid gap-5">
        <Field
          label={text.name}
          hint={text.nameHint}
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={100}
          required
          autoComplete="name"
        />
        <p className="flex gap-3 rounded-lg bg-accent-well p-3 text-sm">
          <ShieldCheck aria-hidden className="mt-0.5 size-5 shrink-0 text-accent" />
          <span>{text.consent}</span>
        </p>
        {joining.error && <JoinFault error={joining.error} />}
        <Button
          look="primary"
          type="submit"
          className="min-h-11"
          disabled={joining.isPending || name.trim() === ''}
        >
          <Mic aria-hidden className="size-4" />
          {joining.isPending ? text.joining : text.join}
        </Button>
      </form>
    </Card>
  );
}

function JoinFault({ error }: { error: Error }) {
  const remedy = error instanceof ApiError ? error.problem?.remedy : text.livekitHint;
  return (
    <p role="alert" className="text-bad">
      {error.message} {remedy}
    </p>
  );
}
