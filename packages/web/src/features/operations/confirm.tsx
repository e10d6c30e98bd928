import type { ReactNode } from 'react';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Modal } from '../../ui/modal.tsx';

/** Asks before something is done that cannot be taken back, and says what went wrong with it. */
export function Confirm({
  open,
  onClose,
  title,
  children,
  action,
  isPending,
  error,
  onConfirm,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  action: string;
  isPending: boolean;
  error: Error | null;
  onConfirm: () => void;
}) {
  return (
    <Modal open={open} onClose={onClose} title={title}>
      {children}
      {error && (
        <p role="alert" className="mt-3 text-bad">
          {error.message}
        </p>
      )}
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={onClose}>{strings.cancel}</Button>
        <Button look="primary" onClick={onConfirm} disabled={isPending}>
          {action}
        </Button>
      </div>
    </Modal>
  );
}
