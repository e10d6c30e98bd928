import { Dialog } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { strings } from '../strings.ts';

/** A dialog over the page. Escape and a press beside it close it; the focus stays inside and returns afterwards. */
export function Modal({
  open,
  onClose,
  title,
  keepsOpen = false,
  onClosed,
  children,
}: {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  /** A press beside it does not close it: what it shows would be lost. */
  keepsOpen?: boolean;
  /** It is out of sight: what it showed may go. */
  onClosed?: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog.Root
      open={open}
      onOpenChange={(next) => !next && onClose()}
      onOpenChangeComplete={(isOpen) => !isOpen && onClosed?.()}
      disablePointerDismissal={keepsOpen}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 bg-black/45 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Dialog.Popup className="fixed inset-x-3 top-[12vh] mx-auto max-h-[80vh] max-w-md overflow-auto rounded-2xl border border-line bg-card p-5 shadow-xl transition-[opacity,scale] data-ending-style:scale-98 data-ending-style:opacity-0 data-starting-style:scale-98 data-starting-style:opacity-0">
          <div className="mb-4 flex items-start justify-between gap-3">
            <Dialog.Title className="min-w-0 text-lg font-semibold [overflow-wrap:anywhere]">
              {title}
            </Dialog.Title>
            <Dialog.Close
              aria-label={strings.close}
              className="-mt-1 -mr-1 grid size-9 shrink-0 place-items-center rounded-lg text-soft hover:bg-well hover:text-ink"
            >
              <X aria-hidden className="size-5" />
            </Dialog.Close>
          </div>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
