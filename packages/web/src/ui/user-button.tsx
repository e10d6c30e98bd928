import { CircleUser } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { useMe } from '../lib/me.ts';

/** Menus are large, and no page has to wait for this one. */
const UserMenu = lazy(async () => ({ default: (await import('./user-menu.tsx')).UserMenu }));

/** Who is signed in, and the way out. Nothing where there are no keys, or before the sign-in. */
export function UserButton() {
  const me = useMe().data;
  if (me === undefined || me.signedInBy === 'open') return null;
  return (
    <Suspense
      fallback={
        <span className="grid size-9 shrink-0 place-items-center text-soft">
          <CircleUser aria-hidden className="size-[1.125rem]" />
        </span>
      }
    >
      <UserMenu me={me} />
    </Suspense>
  );
}
