import type { SessionView } from '@dialoglens/protocol';
import { Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { legible } from '../../lib/format.ts';
import { navigate, paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { Name } from '../../ui/name.tsx';
import { useDeletion } from './transcript-queries.ts';

const text = strings.transcript;

/** Deletes the transcript, once its room has been named. */
export function DeleteSession({ session }: { session: SessionView }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        <Trash2 aria-hidden className="size-4" />
        {text.remove}
      </Button>
      <Modal open={isOpen} onClose={() => setOpen(false)} title={text.removeTitle}>
        <DeleteForm session={session} onCancel={() => setOpen(false)} />
      </Modal>
    </>
  );
}

function DeleteForm({ session, onCancel }: { session: SessionView; onCancel: () => void }) {
  const [typed, setTyped] = useState('');
  const deletion = useDeletion(session.id);
  // As it is shown: nobody can type what cannot be seen.
  const isNamed = typed.trim() === legible(session.room).trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isNamed) deletion.mutate(undefined, { onSuccess: () => navigate(paths.sessions, { replace: true }) });
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      <p>{text.removeText}</p>
      <p>
        <Name text={session.room} className="font-semibold" />
      </p>
      <Field
        label={strings.startDialog.room}
        error={deletion.error?.message}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        autoFocus
        autoComplete="off"
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{strings.cancel}</Button>
        <Button look="danger" type="submit" disabled={!isNamed || deletion.isPending}>
          {deletion.isPending ? text.removing : text.remove}
        </Button>
      </div>
    </form>
  );
}
