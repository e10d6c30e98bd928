import type { RemovePersonAnswer } from '@dialoglens/protocol';
import { useQueryClient } from '@tanstack/react-query';
import { UserX } from 'lucide-react';
import { useState } from 'react';
import { faultText } from '../../lib/api.ts';
import { legible } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmByTyping } from '../../ui/confirm-by-typing.tsx';
import { Modal } from '../../ui/modal.tsx';
import type { Speaker } from './transcript-model.ts';
import { usePersonRemoval } from './transcript-queries.ts';

const text = strings.transcript.person;

/** A button beside the chosen speaker that takes them out of every transcript, once their name has been typed. */
export function RemovePerson({ speaker, onRemoved }: { speaker: Speaker; onRemoved: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const queries = useQueryClient();
  const removal = usePersonRemoval(speaker.identity);
  const close = () => {
    setOpen(false);
    if (!removal.isSuccess) return;
    // Only now: with the speaker this dialog goes as well, and what it says has to be read first.
    onRemoved();
    void queries.invalidateQueries();
  };
  const name = legible(speaker.name).slice(0, 60);
  return (
    <>
      <button
        type="button"
        onClick={() => setOpen(true)}
        aria-label={text.remove(name)}
        title={text.remove(name)}
        className="grid size-8 shrink-0 place-items-center rounded-full text-soft hover:bg-bad-well hover:text-bad"
      >
        <UserX aria-hidden className="size-4" />
      </button>
      <Modal open={isOpen} onClose={close} title={text.title(name)} keepsOpen={removal.isPending}>
        {removal.data ? (
          <Done answer={removal.data} onClose={close} />
        ) : (
          <ConfirmByTyping
            name={speaker.name}
            label={strings.transcript.name}
            action={text.confirm}
            pendingAction={text.removing}
            error={removal.error ? faultText(removal.error) : undefined}
            isPending={removal.isPending}
            onCancel={close}
            onConfirm={() => removal.mutate()}
          >
            <WhatHappens identity={speaker.identity} />
          </ConfirmByTyping>
        )}
      </Modal>
    </>
  );
}

function WhatHappens({ identity }: { identity: string }) {
  return (
    <>
      <p>
        {text.identity} <bdi className="font-mono text-sm [overflow-wrap:anywhere]">{legible(identity)}</bdi>
      </p>
      <ul className="list-disc space-y-1 pl-5">
        {text.happens.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <p>{text.type}</p>
    </>
  );
}

function Done({ answer, onClose }: { answer: RemovePersonAnswer; onClose: () => void }) {
  return (
    <div className="grid gap-4">
      <p role="status">{text.done(answer.segments, answer.sessions)}</p>
      <div className="flex justify-end">
        <Button look="primary" onClick={onClose} autoFocus>
          {strings.close}
        </Button>
      </div>
    </div>
  );
}
