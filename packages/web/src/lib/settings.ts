import type { SettingsView } from '@dialoglens/protocol';
import { useQuery } from '@tanstack/react-query';
import { getJson } from './api.ts';

/** How the server is set. */
export function useSettings() {
  return useQuery({
    queryKey: ['settings'],
    queryFn: ({ signal }) => getJson<SettingsView>('/api/settings', signal),
  });
}
