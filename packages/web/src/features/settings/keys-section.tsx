import type { KeyView, MeView } from '@dialoglens/protocol';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { dayAndTime, legible } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Name } from '../../ui/name.tsx';
import { Card, Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { CreateKeyDialog } from './create-key-dialog.tsx';
import { RevokeKeyDialog } from './revoke-key-dialog.tsx';
import { useKeys } from './settings-queries.ts';

const text = strings.settings.keys;

/** The keys there are; new ones are made and old ones revoked here. */
export function KeysSection({ me }: { me: MeView }) {
  const [creates, setCreates] = useState(false);
  const create = (
    <Button look="primary" onClick={() => setCreates(true)}>
      <Plus aria-hidden className="size-4" />
      {text.create}
    </Button>
  );
  return (
    <Section title={text.title} aside={create}>
      <Keys me={me} />
      <CreateKeyDialog open={creates} onClose={() => setCreates(false)} />
    </Section>
  );
}

function Keys({ me }: { me: MeView }) {
  const keys = useKeys();
  if (keys.data === undefined) {
    return keys.error ? <Failure error={keys.error} retry={() => void keys.refetch()} /> : <Loading />;
  }
  if (keys.data.items.length === 0) {
    return (
      <Empty icon={KeyRound} title={text.emptyTitle}>
        <p className="mt-1 max-w-md text-soft">{text.emptyText}</p>
      </Empty>
    );
  }
  const isLast = keys.data.items.length === 1;
  return (
    <Card>
      <ul className="divide-y divide-line">
        {keys.data.items.map((key) => (
          <KeyRow key={key.id} view={key} isMine={key.id === me.keyId} isLast={isLast} />
        ))}
      </ul>
    </Card>
  );
}

function KeyRow({ view, isMine, isLast }: { view: KeyView; isMine: boolean; isLast: boolean }) {
  const [asks, setAsks] = useState(false);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-3 px-4 py-3.5 sm:px-5">
      <div className="min-w-0 flex-1 basis-64">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <Name text={view.name} className="font-semibold" />
          {view.status === 'expired' ? (
            <Badge tone="bad">{text.expired}</Badge>
          ) : (
            <Badge tone={view.role === 'admin' ? 'wait' : 'idle'}>{strings.roles[view.role]}</Badge>
          )}
          {isMine && <Badge tone="good">{text.mine}</Badge>}
        </div>
        <p className="mt-0.5 text-[0.8125rem] text-soft">{detailsOf(view).join(' · ')}</p>
      </div>
      {view.source === 'store' && (
        <Button look="danger" onClick={() => setAsks(true)} aria-label={text.revokeNamed(legible(view.name))}>
          {text.revoke}
        </Button>
      )}
      <RevokeKeyDialog
        open={asks}
        onClose={() => setAsks(false)}
        view={view}
        isMine={isMine}
        isLast={isLast}
      />
    </li>
  );
}

function detailsOf({ source, createdAt, expiresAt, lastUsedAt }: KeyView): string[] {
  if (source === 'configuration') return [text.configured];
  return [
    createdAt === null ? '' : text.created(dayAndTime(createdAt)),
    lastUsedAt === null ? text.neverUsed : text.lastUsed(dayAndTime(lastUsedAt)),
    expiresAt === null ? text.lasts : text.until(dayAndTime(expiresAt)),
  ].filter(Boolean);
}
