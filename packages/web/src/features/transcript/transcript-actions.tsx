import type { Segment, SessionView } from '@dialoglens/protocol';
import { Captions, Download, Printer } from 'lucide-react';
import { sessionApi } from '../../lib/api.ts';
import { duration } from '../../lib/format.ts';
import { useMay } from '../../lib/me.ts';
import { paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { CopyIcon } from '../../ui/copy-text.tsx';
import { LinkMenu } from '../../ui/menu.tsx';
import { useCopy } from '../../ui/use-copy.ts';
import { DeleteSession } from './delete-session.tsx';
import { asText } from './transcript-model.ts';

const text = strings.transcript;

/** What can be done with a transcript. */
export function TranscriptActions({
  session,
  segments,
}: {
  session: SessionView;
  segments: readonly Segment[];
}) {
  const { administer } = useMay();
  const formats = Object.entries(text.formats).map(([format, label]) => ({
    href: sessionApi(session.id, `/export?format=${format}`),
    label,
    download: true,
  }));
  return (
    <>
      {session.endedAt === null && (
        <ButtonLink href={paths.room(session.room)}>
          <Captions aria-hidden className="size-4" />
          {text.live}
        </ButtonLink>
      )}
      <CopyAll session={session} segments={segments} />
      <Button onClick={() => window.print()}>
        <Printer aria-hidden className="size-4" />
        {text.print}
      </Button>
      <LinkMenu
        label={
          <>
            <Download aria-hidden className="size-4" />
            {text.export}
          </>
        }
        items={formats}
      />
      {administer && session.endedAt !== null && <DeleteSession session={session} />}
    </>
  );
}

function CopyAll({ session, segments }: { session: SessionView; segments: readonly Segment[] }) {
  const { state, copy } = useCopy();
  const copyAll = () => copy(asText(segments, ({ startedAt }) => duration(startedAt - session.startedAt)));
  return (
    <Button
      onClick={copyAll}
      disabled={segments.length === 0}
      title={state === 'refused' ? strings.copyRefused : undefined}
    >
      <CopyIcon state={state} />
      {strings.copy[state]}
    </Button>
  );
}
