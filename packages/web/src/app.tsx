import { type ComponentType, lazy, Suspense } from 'react';
import { matchPath, type Pattern, paths, usePath, useQueryParameter } from './lib/router.ts';
import { strings } from './strings.ts';
import { ButtonLink } from './ui/button.tsx';
import { CrashGuard } from './ui/crash-guard.tsx';
import { Page } from './ui/page.tsx';
import { Shell } from './ui/shell.tsx';
import { Loading } from './ui/states.tsx';

const RoomsPage = lazy(async () => ({
  default: (await import('./features/rooms/rooms-page.tsx')).RoomsPage,
}));
const LivePage = lazy(async () => ({
  default: (await import('./features/live/live-page.tsx')).LivePage,
}));
const OverlayPage = lazy(async () => ({
  default: (await import('./features/live/overlay-page.tsx')).OverlayPage,
}));
const SessionsPage = lazy(async () => ({
  default: (await import('./features/transcript/sessions-page.tsx')).SessionsPage,
}));
const JoinPage = lazy(async () => ({
  default: (await import('./features/join/join-page.tsx')).JoinPage,
}));
const SettingsPage = lazy(async () => ({
  default: (await import('./features/settings/settings-page.tsx')).SettingsPage,
}));
const SignInPage = lazy(async () => ({
  default: (await import('./features/sign-in/sign-in-page.tsx')).SignInPage,
}));
const OperationsPage = lazy(async () => ({
  default: (await import('./features/operations/operations-page.tsx')).OperationsPage,
}));
const SearchPage = lazy(async () => ({
  default: (await import('./features/search/search-page.tsx')).SearchPage,
}));
const TranscriptPage = lazy(async () => ({
  default: (await import('./features/transcript/transcript-page.tsx')).TranscriptPage,
}));

/** One page: where it is, and what shows it. The named parts of its address are its properties. */
interface Route {
  pattern: Pattern;
  page: ComponentType<{ room: string; id: string }>;
}

const routes: readonly Route[] = [
  { pattern: '/', page: RoomsPage },
  { pattern: '/rooms/:room', page: LivePage },
  { pattern: '/rooms/:room/join', page: JoinPage },
  { pattern: '/sessions', page: SessionsPage },
  { pattern: '/operations', page: OperationsPage },
  { pattern: '/search', page: SearchPage },
  { pattern: '/sessions/:id', page: TranscriptPage },
  { pattern: '/settings', page: SettingsPage },
  { pattern: '/sign-in', page: SignInPage },
];

export function App() {
  const path = usePath();
  const isOverlay = useQueryParameter('overlay') !== null;
  const overlaid = isOverlay ? matchPath('/rooms/:room', path)?.room : undefined;
  if (overlaid !== undefined) {
    return (
      <Suspense>
        <OverlayPage room={overlaid} />
      </Suspense>
    );
  }
  return (
    <Shell>
      <CrashGuard key={path}>
        <Suspense fallback={<Loading />}>
          <Here path={path} />
        </Suspense>
      </CrashGuard>
    </Shell>
  );
}

function Here({ path }: { path: string }) {
  for (const { pattern, page: PageHere } of routes) {
    const parts = matchPath(pattern, path);
    if (parts) return <PageHere key={path} room="" id="" {...parts} />;
  }
  return <NoPage />;
}

function NoPage() {
  return (
    <Page title={strings.error.notFoundTitle} tab={strings.error.notFoundTitle} lead={strings.error.notFound}>
      <ButtonLink href={paths.home}>{strings.error.home}</ButtonLink>
    </Page>
  );
}
