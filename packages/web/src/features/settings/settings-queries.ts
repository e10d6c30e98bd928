import type { CreateKeyAnswer, KeyView, Role } from '@dialoglens/protocol';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { deleteJson, getJson, postJson } from '../../lib/api.ts';

export interface KeyWish {
  name: string;
  role: Role;
  expiresInDays?: number;
}

/** The keys there are. */
export function useKeys() {
  return useQuery({
    queryKey: ['keys'],
    queryFn: ({ signal }) => getJson<{ items: KeyView[] }>('/api/keys', signal),
  });
}

export function useCreateKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wish: KeyWish) => postJson<CreateKeyAnswer>('/api/keys', wish),
    // With the first key this reader is signed in with it.
    onSuccess: () => queries.invalidateQueries(),
  });
}

export function useRevokeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => deleteJson(`/api/keys/${encodeURIComponent(id)}`),
    onSuccess: () => queries.invalidateQueries(),
  });
}
