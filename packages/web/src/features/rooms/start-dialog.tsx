import { type FormEvent, useState } from 'react';
import { ApiError } from '../../lib/api.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Fault } from '../../ui/fault.tsx';
import { Field } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { useStart } from './room-queries.ts';

const text = strings.startDialog;

/** Asks which room to transcribe, and how. */
export function StartDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Modal open={open} onClose={onClose} title={text.title}>
      <StartForm onDone={onClose} />
    </Modal>
  );
}

function StartForm({ onDone }: { onDone: () => void }) {
  const start = useStart();
  const [room, setRoom] = useState('');
  const [language, setLanguage] = useState('');
  const [provider, setProvider] = useState('');
  const problem = start.error instanceof ApiError ? start.error.problem : null;
  const faultOf = (field: string) => (problem?.field === field ? start.error?.message : undefined);
  const isElsewhere =
    start.error !== null && !['room', 'language', 'provider'].includes(problem?.field ?? '');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const settings = { ...(language && { language }), ...(provider && { provider }) };
    start.mutate({ room, settings }, { onSuccess: onDone });
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      <Field
        label={text.room}
        hint={text.roomHint}
        error={faultOf('room')}
        value={room}
        onChange={(event) => setRoom(event.target.value)}
        required
        autoFocus
        autoComplete="off"
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label={text.language}
          hint={text.languageHint}
          error={faultOf('language')}
          value={language}
          onChange={(event) => setLanguage(event.target.value.trim())}
          autoComplete="off"
        />
        <Field
          label={text.provider}
          hint={text.providerHint}
          error={faultOf('provider')}
          value={provider}
          onChange={(event) => setProvider(event.target.value.trim())}
          autoComplete="off"
        />
      </div>
      {isElsewhere && <Fault error={start.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>{strings.cancel}</Button>
        <Button look="primary" type="submit" disabled={start.isPending || room === ''}>
          {start.isPending ? strings.rooms.starting : text.submit}
        </Button>
      </div>
    </form>
  );
}
