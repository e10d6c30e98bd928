import type { ReactNode } from 'react';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Fault } from '../../ui/fault.tsx';
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
      <Fault error={error} className="mt-3" />
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={onClose}>{strings.cancel}</Button>
        <Button look="primary" onClick={onConfirm} disabled={isPending}>
          {action}
        </Button>
      </div>
    </Modal>
  );
}
