import { type CreateKeyAnswer, type Role, roles } from '@dialoglens/protocol';
import { TriangleAlert } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useMe } from '../../lib/me.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Choice } from '../../ui/choice.tsx';
import { CopyText } from '../../ui/copy-text.tsx';
import { Fault } from '../../ui/fault.tsx';
import { Field } from '../../ui/field.tsx';
import { Modal } from '../../ui/modal.tsx';
import { type KeyWish, useCreateKey } from './settings-queries.ts';

const text = strings.settings.keys;
const never = 'never';
const lives = [never, '7', '30', '90', '365'];

/** Makes a key, and shows its secret: once. */
export function CreateKeyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [made, setMade] = useState<CreateKeyAnswer | null>(null);
  return (
    <Modal
      open={open}
      onClose={onClose}
      onClosed={() => setMade(null)}
      title={made ? text.madeTitle : text.create}
      keepsOpen={made !== null}
    >
      {made ? <Secret made={made} onDone={onClose} /> : <CreateForm onMade={setMade} onCancel={onClose} />}
    </Modal>
  );
}

function Secret({ made, onDone }: { made: CreateKeyAnswer; onDone: () => void }) {
  return (
    <div className="grid gap-4">
      <p>{text.secretOnce}</p>
      <CopyText text={made.secret} />
      <div className="flex justify-end">
        <Button look="primary" onClick={onDone}>
          {text.secretKept}
        </Button>
      </div>
    </div>
  );
}

function CreateForm({ onMade, onCancel }: { onMade: (made: CreateKeyAnswer) => void; onCancel: () => void }) {
  const create = useCreateKey();
  // The first key closes the server to those without one; it has to be one that can make others, for good.
  const isFirst = useMe().data?.signedInBy === 'open';
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [life, setLife] = useState(never);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(isFirst ? { name, role: 'admin' } : wishOf(name, role, life), { onSuccess: onMade });
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      {isFirst && <FirstKeyWarning />}
      <Field
        label={text.name}
        hint={text.nameHint}
        value={name}
        onChange={(event) => setName(event.target.value)}
        maxLength={100}
        required
        autoFocus
        autoComplete="off"
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Choice
          label={text.role}
          value={isFirst ? 'admin' : role}
          disabled={isFirst}
          onChange={(event) => setRole(roles.find((one) => one === event.target.value) ?? 'viewer')}
          options={roles.map((value) => ({ value, label: strings.roles[value] }))}
        />
        <Choice
          label={text.expires}
          value={life}
          disabled={isFirst}
          onChange={(event) => setLife(event.target.value)}
          options={lives.map((value) => ({
            value,
            label: value === never ? text.never : text.inDays(Number(value)),
          }))}
        />
      </div>
      <Fault error={create.error} />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{strings.cancel}</Button>
        <Button look="primary" type="submit" disabled={create.isPending || name.trim() === ''}>
          {create.isPending ? text.creating : text.create}
        </Button>
      </div>
    </form>
  );
}

function wishOf(name: string, role: Role, life: string): KeyWish {
  return { name, role, ...(life !== never && { expiresInDays: Number(life) }) };
}

function FirstKeyWarning() {
  return (
    <p className="flex gap-3 rounded-lg bg-wait-well p-3 text-sm text-wait">
      <TriangleAlert aria-hidden className="mt-0.5 size-5 shrink-0" />
      <span>{text.firstWarning}</span>
    </p>
  );
}
