import { type FormEvent, useState } from 'react';
import { ApiError, faultText } from '../../lib/api.ts';
import { useSettings } from '../../lib/settings.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Choice } from '../../ui/choice.tsx';
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
  const speech = useSettings().data?.speech;
  const others = speech ? [...speech.chain.slice(1), ...speech.onRequest] : [];
  const providers = [
    { value: '', label: text.asSet(speech?.chain[0]?.provider) },
    ...others.map((one) => ({ value: one.provider, label: one.provider })),
  ];
  const { error } = start;
  const field = error instanceof ApiError ? error.problem?.field : undefined;
  const faultOf = (name: string) => (error !== null && field === name ? faultText(error) : undefined);
  const isElsewhere = field !== 'room' && field !== 'language';
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
          placeholder={speech?.language}
          error={faultOf('language')}
          value={language}
          onChange={(event) => setLanguage(event.target.value.trim())}
          autoComplete="off"
        />
        <Choice
          label={text.provider}
          options={providers}
          value={provider}
          onChange={(event) => setProvider(event.target.value)}
        />
      </div>
      {isElsewhere && <Fault error={error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>{strings.cancel}</Button>
        <Button look="primary" type="submit" disabled={start.isPending || room === ''}>
          {start.isPending ? strings.rooms.starting : text.submit}
        </Button>
      </div>
    </form>
  );
}
