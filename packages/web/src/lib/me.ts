import type { MeView } from '@dialoglens/protocol';
import { useQuery } from '@tanstack/react-query';
import { getJson } from './api.ts';

const freshMs = 60_000;

/** Whom the server takes this reader for. */
export function useMe() {
  return useQuery({
    queryKey: ['me'],
    queryFn: ({ signal }) => getJson<MeView>('/api/me', signal),
    staleTime: freshMs,
  });
}

const nothing: MeView['may'] = { operate: false, administer: false };

/** What this reader may do; nothing until the server has said so. */
export function useMay(): MeView['may'] {
  return useMe().data?.may ?? nothing;
}
