import { Menu } from '@base-ui/react/menu';
import type { MeView } from '@dialoglens/protocol';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CircleUser, LogOut } from 'lucide-react';
import { postJson } from '../lib/api.ts';
import { legible } from '../lib/format.ts';
import { navigate, paths } from '../lib/router.ts';
import { strings } from '../strings.ts';

const text = strings.user;

/** The menu with who is signed in, and the way out. */
export function UserMenu({ me: { signedInBy, role, name } }: { me: MeView }) {
  const queries = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => postJson('/api/sign-out'),
    onSuccess: () => {
      navigate(paths.signIn);
      return queries.resetQueries();
    },
  });
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger
        aria-label={text.label}
        title={text.label}
        className="grid size-9 shrink-0 place-items-center rounded-lg text-soft hover:bg-well hover:text-ink"
      >
        <CircleUser aria-hidden className="size-[1.125rem]" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={6} align="end" className="z-30">
          <Menu.Popup className="max-w-72 min-w-52 rounded-xl border border-line bg-card p-1 shadow-lg">
            <Menu.Group>
              <Menu.GroupLabel className="px-3 py-2">
                <span className="block truncate font-medium">{legible(name ?? text.token)}</span>
                {role !== null && (
                  <span className="block text-[0.8125rem] text-soft">{strings.roles[role]}</span>
                )}
              </Menu.GroupLabel>
              {signedInBy === 'cookie' && (
                <Menu.Item
                  onClick={() => signOut.mutate()}
                  className="flex min-h-9 cursor-pointer items-center gap-2 rounded-lg px-3 text-sm outline-none data-highlighted:bg-well"
                >
                  <LogOut aria-hidden className="size-4" />
                  {text.signOut}
                </Menu.Item>
              )}
            </Menu.Group>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
