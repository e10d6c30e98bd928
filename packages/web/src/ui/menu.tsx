import { Menu as BaseMenu } from '@base-ui/react/menu';
import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { buttonClass } from './button.tsx';

/** A button with a list of links below it. */
export function LinkMenu({
  label,
  items,
}: {
  label: ReactNode;
  items: readonly { href: string; label: string; download: boolean }[];
}) {
  return (
    <BaseMenu.Root modal={false}>
      <BaseMenu.Trigger className={buttonClass('plain')}>
        {label}
        <ChevronDown aria-hidden className="size-4" />
      </BaseMenu.Trigger>
      <BaseMenu.Portal>
        <BaseMenu.Positioner sideOffset={6} align="end" className="z-30">
          <BaseMenu.Popup className="min-w-48 rounded-xl border border-line bg-card p-1 shadow-lg">
            {items.map(({ href, label: itemLabel, download }) => (
              <BaseMenu.Item
                key={href}
                render={
                  <a href={href} download={download || undefined}>
                    {itemLabel}
                  </a>
                }
                className="flex min-h-9 items-center rounded-lg px-3 text-sm outline-none data-highlighted:bg-well"
              />
            ))}
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}
