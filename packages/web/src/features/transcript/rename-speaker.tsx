import type { SessionSpeaker } from '@dialoglens/protocol';
import { Pencil } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { faultText } from '../../lib/api.ts';
import { legible } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Fault } from '../../ui/fault.tsx';
import { Field } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { Loading } from '../../ui/states.tsx';
import type { Speaker } from './transcript-model.ts';
import { useRename, useSpeakers } from './transcript-queries.ts';

const text = strings.transcript;

/** A button beside the chosen speaker that lets their name be corrected. */
export function RenameSpeaker({ sessionId, speaker }: { sessionId: string; speaker: Speaker }) {
  const [isOpen, setOpen] = useState(false);
  const all = useSpeakers(sessionId, isOpen);
  // Also while it is read again: a form that goes away would take with it what is being written.
  const known = all.data?.items.find(({ identity }) => identity === speaker.identity);
  return (
    <>
      <button
        type="button"
        onClick={() => setOpen(true)}
        aria-label={text.rename(legible(speaker.name).slice(0, 60))}
        className="grid size-8 shrink-0 place-items-center rounded-full text-soft hover:bg-well hover:text-ink"
      >
        <Pencil aria-hidden className="size-4" />
      </button>
      <Modal open={isOpen} onClose={() => setOpen(false)} title={text.renameTitle}>
        {known ? (
          <RenameForm sessionId={sessionId} speaker={known} onDone={() => setOpen(false)} />
        ) : all.error ? (
          <Fault error={all.error} />
        ) : (
          <Loading />
        )}
      </Modal>
    </>
  );
}

function RenameForm({
  sessionId,
  speaker,
  onDone,
}: {
  sessionId: string;
  speaker: SessionSpeaker;
  onDone: () => void;
}) {
  const [name, setName] = useState(speaker.name);
  const rename = useRename(sessionId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate({ speaker, name: name.trim() }, { onSuccess: onDone });
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      <Field
        label={text.name}
        hint={text.renameHint(legible(speaker.original).slice(0, 100))}
        error={rename.error ? faultText(rename.error) : undefined}
        value={name}
        onChange={(event) => setName(event.target.value)}
        required
        autoFocus
        autoComplete="off"
      />
      <div className="flex justify-end gap-2">
        {speaker.corrected && (
          <Button onClick={() => rename.mutate({ speaker, name: null }, { onSuccess: onDone })}>
            {text.undo}
          </Button>
        )}
        <Button onClick={onDone}>{strings.cancel}</Button>
        <Button look="primary" type="submit" disabled={rename.isPending || name.trim() === ''}>
          {rename.isPending ? text.saving : text.save}
        </Button>
      </div>
    </form>
  );
}
