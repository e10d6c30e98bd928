import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './api.ts';
import { serverLink } from './server-link.ts';

const maxRetries = 2;

/** Answers of the server, kept by path. What the server refuses is not asked again; what did not arrive is. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1_000,
      networkMode: 'always',
      retry: (failures, error) => failures < maxRetries && error instanceof ApiError && error.status >= 500,
    },
    mutations: { networkMode: 'always' },
  },
});

serverLink.onBack(() => void queries.invalidateQueries());
