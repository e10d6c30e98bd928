import { type LucideIcon, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { ApiError } from '../lib/api.ts';
import { strings } from '../strings.ts';
import { Button } from './button.tsx';
import { Card } from './page.tsx';

/** Instead of content that is on its way. Nothing is shown at first, so that quick answers do not flicker. */
export function Loading() {
  return (
    <p role="status" className="animate-[appear_0.2s_0.3s_both] py-8 text-center text-soft">
      {strings.loading}
    </p>
  );
}

/** Instead of content that could not be had: what happened, what to do about it, and a way to try again. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const problem = error instanceof ApiError ? error.problem : null;
  return (
    <Card className="flex flex-col items-center gap-2 px-6 py-10 text-center">
      <TriangleAlert aria-hidden className="size-7 text-bad" />
      <p role="alert" className="font-medium">
        {problem === null ? strings.error.title : problem.title}
      </p>
      <p className="max-w-prose text-soft">{error.message}</p>
      {problem?.remedy !== undefined && <p className="max-w-prose text-soft">{problem.remedy}</p>}
      {problem !== null && (
        <p className="font-mono text-xs text-soft">{strings.error.code(problem.code, problem.requestId)}</p>
      )}
      {retry && (
        <Button className="mt-2" onClick={retry}>
          {strings.error.again}
        </Button>
      )}
    </Card>
  );
}

/** Instead of a list that has nothing in it: what would be here, and the first step to get there. */
export function Empty({
  icon: Icon,
  title,
  children,
}: {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
}) {
  return (
    <Card className="flex flex-col items-center px-6 py-12 text-center">
      <span className="mb-3 grid size-12 place-items-center rounded-full bg-accent-well text-accent">
        <Icon aria-hidden className="size-6" />
      </span>
      <p className="text-lg font-semibold">{title}</p>
      {children}
    </Card>
  );
}
