import { useSyncExternalStore } from 'react';

/** A path with its named parts, such as `/rooms/:room`. A part is one segment, percent-encoded on the way. */
export type Pattern = `/${string}`;

/** The named parts of `path`, decoded, or null when it is of another form or not well encoded. */
export function matchPath(pattern: Pattern, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const found = path.split('/');
  if (wanted.length !== found.length) return null;
  const parts: Record<string, string> = {};
  for (const [index, want] of wanted.entries()) {
    const segment = found[index] ?? '';
    if (!want.startsWith(':')) {
      if (want !== segment) return null;
      continue;
    }
    const value = decode(segment);
    if (value === null || value === '') return null;
    parts[want.slice(1)] = value;
  }
  return parts;
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null; // Not UTF-8: no page has such an address.
  }
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('popstate', listener);
  };
}

/** Goes to another page of the application. `replace` leaves no entry in the history. */
export function navigate(to: string, { replace = false } = {}): void {
  const before = location.pathname;
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  if (location.pathname !== before) window.scrollTo(0, 0);
  for (const listener of [...listeners]) listener();
}

/** The path of the address, which rerenders when it changes. */
export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** The query part of the address with its `?`, or nothing. */
export function useSearch(): string {
  return useSyncExternalStore(subscribe, () => location.search);
}

/** One parameter of the address' query, or null. */
export function useQueryParameter(name: string): string | null {
  return new URLSearchParams(useSearch()).get(name);
}

/** The fragment of the address with its `#`, or nothing. */
export function useHash(): string {
  return useSyncExternalStore(subscribeToHash, () => location.hash);
}

function subscribeToHash(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

/** Where pages are. */
export const paths = {
  home: '/',
  room: (room: string) => `/rooms/${encodeURIComponent(room)}`,
  join: (room: string) => `/rooms/${encodeURIComponent(room)}/join`,
  sessions: '/sessions',
  settings: '/settings',
  signIn: '/sign-in',
  search: '/search',
  operations: '/operations',
  session: (id: string) => `/sessions/${encodeURIComponent(id)}`,
};
