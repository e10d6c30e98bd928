import type { SessionView } from '@dialoglens/protocol';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { faultText } from '../../lib/api.ts';
import { navigate, paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmByTyping } from '../../ui/confirm-by-typing.tsx';
import { Modal } from '../../ui/modal.tsx';
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
  const deletion = useDeletion(session.id);
  return (
    <ConfirmByTyping
      name={session.room}
      label={strings.startDialog.room}
      action={text.remove}
      pendingAction={text.removing}
      error={deletion.error ? faultText(deletion.error) : undefined}
      isPending={deletion.isPending}
      onCancel={onCancel}
      onConfirm={() =>
        deletion.mutate(undefined, { onSuccess: () => navigate(paths.sessions, { replace: true }) })
      }
    >
      <p>{text.removeText}</p>
    </ConfirmByTyping>
  );
}
