import { type ComponentType, lazy, Suspense } from 'react';
import { RoomsPage } from './features/rooms/rooms-page.tsx';
import { matchPath, type Pattern, paths, usePath } from './lib/router.ts';
import { strings } from './strings.ts';
import { ButtonLink } from './ui/button.tsx';
import { CrashGuard } from './ui/crash-guard.tsx';
import { Page } from './ui/page.tsx';
import { Shell } from './ui/shell.tsx';
import { Loading } from './ui/states.tsx';

const SessionsPage = lazy(async () => ({
  default: (await import('./features/transcript/sessions-page.tsx')).SessionsPage,
}));

/** One page: where it is, and what shows it. The named parts of its address are its properties. */
interface Route {
  pattern: Pattern;
  page: ComponentType<Record<string, string>>;
}

const routes: readonly Route[] = [
  { pattern: '/', page: RoomsPage },
  { pattern: '/sessions', page: SessionsPage },
];

export function App() {
  const path = usePath();
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
    if (parts) return <PageHere key={path} {...parts} />;
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
