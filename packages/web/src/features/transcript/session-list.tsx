import type { SessionView } from '@dialoglens/protocol';
import { ChevronRight } from 'lucide-react';
import { dayAndTime, roughly } from '../../lib/format.ts';
import { paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Badge } from '../../ui/badge.tsx';
import { Link } from '../../ui/link.tsx';
import { Name } from '../../ui/name.tsx';
import { Card } from '../../ui/page.tsx';

/** Sessions, one a line, each leading to its transcript. */
export function SessionList({ sessions }: { sessions: readonly SessionView[] }) {
  return (
    <Card className="overflow-hidden">
      <ul className="divide-y divide-line">
        {sessions.map((session) => (
          <li key={session.id}>
            <Link
              href={paths.session(session.id)}
              className="flex items-center gap-4 px-4 py-3 hover:bg-well focus-visible:-outline-offset-2 sm:px-5"
            >
              <span className="min-w-0 flex-1">
                <span className="flex min-w-0 items-center gap-3">
                  <Name text={session.room} className="font-medium" />
                  {session.endedAt === null && (
                    <Badge tone="good" pulse>
                      {strings.sessions.running}
                    </Badge>
                  )}
                </span>
                <span className="block text-[0.8125rem] text-soft">
                  {dayAndTime(session.startedAt)}
                  {session.endedAt !== null && ` · ${roughly(session.endedAt - session.startedAt)}`}
                  {` · ${session.language} · ${session.provider}`}
                </span>
              </span>
              <ChevronRight aria-hidden className="size-4 shrink-0 text-soft" />
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
