import { strings } from '../strings.ts';
import { Button } from './button.tsx';

/** Below a list that has been read in part: brings its next page. */
export function MoreButton({
  list: { hasNextPage, isFetchingNextPage, fetchNextPage },
}: {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
}) {
  if (!hasNextPage) return null;
  return (
    <div className="mt-4 text-center">
      <Button onClick={() => void fetchNextPage()} disabled={isFetchingNextPage}>
        {strings.more}
      </Button>
    </div>
  );
}
