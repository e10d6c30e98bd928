import { navigate, paths } from './router.ts';

const parameter = 'next';

/** Shows the sign-in, which leads back to where the reader is. */
export function goToSignIn(): void {
  const { pathname, search, hash } = location;
  if (pathname === paths.signIn) return;
  const query = new URLSearchParams({ [parameter]: `${pathname}${search}${hash}` });
  navigate(`${paths.signIn}?${query}`, { replace: true });
}

/** Where to go after the sign-in: a page of this server, whatever the address says. */
export function pageAfterSignIn(search: string, origin: string): string {
  const wish = new URLSearchParams(search).get(parameter) ?? '';
  if (!URL.canParse(wish, origin)) return paths.home;
  const url = new URL(wish, origin);
  const isHere = url.origin === origin && url.pathname !== paths.signIn;
  // Two slashes at the beginning would name another server.
  return isHere ? `${url.pathname.replace(/^\/+/, '/')}${url.search}${url.hash}` : paths.home;
}
