import type { KeyView } from '@dialoglens/protocol';
import { legible } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Fault } from '../../ui/fault.tsx';
import { Modal } from '../../ui/modal.tsx';
import { useRevokeKey } from './settings-queries.ts';

const text = strings.settings.keys;

/** Asks before a key is revoked, and says what that does to the reader. */
export function RevokeKeyDialog({
  open,
  onClose,
  view,
  isMine,
  isLast,
}: {
  open: boolean;
  onClose: () => void;
  view: KeyView;
  isMine: boolean;
  isLast: boolean;
}) {
  const revoke = useRevokeKey();
  const confirm = () => revoke.mutate(view.id, { onSuccess: onClose });
  return (
    <Modal open={open} onClose={onClose} title={text.revokeTitle(legible(view.name))}>
      <p className="text-soft">{text.revokeText}</p>
      {isLast ? (
        <p className="mt-3 font-medium">{text.revokeLast}</p>
      ) : (
        isMine && <p className="mt-3 font-medium">{text.revokeMine}</p>
      )}
      <Fault error={revoke.error} className="mt-3" />
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={onClose}>{strings.cancel}</Button>
        <Button look="danger" onClick={confirm} disabled={revoke.isPending}>
          {revoke.isPending ? text.revoking : text.revoke}
        </Button>
      </div>
    </Modal>
  );
}
