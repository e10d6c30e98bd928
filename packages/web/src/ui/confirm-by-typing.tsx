import { type FormEvent, type ReactNode, useState } from 'react';
import { legible } from '../lib/format.ts';
import { strings } from '../strings.ts';
import { Button } from './button.tsx';
import { Field } from './field.tsx';
import { Name } from './name.tsx';

/** Lets something be done that cannot be undone, once its name has been typed. */
export function ConfirmByTyping({
  name,
  label,
  action,
  error,
  isPending,
  pendingAction,
  onCancel,
  onConfirm,
  children,
}: {
  /** What has to be typed. */
  name: string;
  /** What kind of name it is. */
  label: string;
  /** What the button says, and what it says while it is being done. */
  action: string;
  pendingAction: string;
  error: string | undefined;
  isPending: boolean;
  onCancel: () => void;
  onConfirm: () => void;
  children: ReactNode;
}) {
  const [typed, setTyped] = useState('');
  // As it is shown: nobody can type what cannot be seen.
  const isNamed = typed.trim() === legible(name).trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isNamed) onConfirm();
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      {children}
      <p>
        <Name text={name} className="font-semibold" />
      </p>
      <Field
        label={label}
        error={error}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        autoFocus
        autoComplete="off"
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{strings.cancel}</Button>
        <Button look="danger" type="submit" disabled={!isNamed || isPending}>
          {isPending ? pendingAction : action}
        </Button>
      </div>
    </form>
  );
}
