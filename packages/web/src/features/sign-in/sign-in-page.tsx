import type { MeView } from '@dialoglens/protocol';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { ApiError, faultText, postJson } from '../../lib/api.ts';
import { useMe } from '../../lib/me.ts';
import { navigate, paths } from '../../lib/router.ts';
import { pageAfterSignIn } from '../../lib/sign-in.ts';
import { strings } from '../../strings.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Card, Page } from '../../ui/page.tsx';

const text = strings.signIn;

/** Lets a reader in who has an API key. */
export function SignInPage() {
  const me = useMe();
  return (
    <Page title={text.title} tab={text.title} lead={text.lead}>
      <Card className="max-w-md p-5 sm:p-6">
        {me.data?.signedInBy === 'open' ? (
          <div className="grid justify-items-start gap-4">
            <p>{text.open}</p>
            <ButtonLink href={paths.home}>{strings.error.home}</ButtonLink>
          </div>
        ) : (
          <SignInForm />
        )}
      </Card>
    </Page>
  );
}

function SignInForm() {
  const [key, setKey] = useState('');
  const queries = useQueryClient();
  const signIn = useMutation({
    mutationFn: () => postJson<MeView>('/api/sign-in', { key: key.trim() }),
    onSuccess: async () => {
      await queries.resetQueries();
      navigate(pageAfterSignIn(location.search, location.origin), { replace: true });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <form onSubmit={submit} className="grid gap-5">
      <Field
        label={text.key}
        hint={text.keyHint}
        error={signIn.error ? faultOf(signIn.error) : undefined}
        type="password"
        value={key}
        onChange={(event) => setKey(event.target.value)}
        required
        autoFocus
        autoComplete="current-password"
        spellCheck={false}
      />
      <Button
        look="primary"
        type="submit"
        className="min-h-11"
        disabled={signIn.isPending || key.trim() === ''}
      >
        <KeyRound aria-hidden className="size-4" />
        {signIn.isPending ? text.pending : text.submit}
      </Button>
    </form>
  );
}

function faultOf(error: Error): string {
  const problem = error instanceof ApiError ? error.problem : null;
  if (problem?.code === 'unauthenticated') return `${error.message} ${text.wrongHint}`;
  return faultText(error);
}
