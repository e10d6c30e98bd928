import type { SettingsView, SpeechRoute } from '@dialoglens/protocol';
import type { ReactNode } from 'react';
import { useSettings } from '../../lib/settings.ts';
import { strings } from '../../strings.ts';
import { Badge } from '../../ui/badge.tsx';
import { Card, Section } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { audioSentence, audioVerdict } from './where-audio-goes.ts';

const text = strings.settings;

/** What leaves the network, in plain words, and what this server is. */
export function ServerSection() {
  const settings = useSettings();
  if (settings.data === undefined) {
    return settings.error ? (
      <Failure error={settings.error} retry={() => void settings.refetch()} />
    ) : (
      <Loading />
    );
  }
  return (
    <>
      <Audio speech={settings.data.speech} />
      <Server view={settings.data} />
    </>
  );
}

function Audio({ speech }: { speech: SettingsView['speech'] }) {
  const verdict = audioVerdict(speech);
  return (
    <Section title={text.audio.title}>
      <Card className="p-4 sm:p-5">
        <Badge tone={verdict === 'stays' ? 'good' : 'wait'}>{text.audio.verdicts[verdict]}</Badge>
        <ol className="mt-4 grid gap-3">
          {speech.chain.map((route, index) => (
            <Route
              key={route.provider}
              label={index === 0 ? text.audio.first : text.audio.next}
              route={route}
            />
          ))}
          {speech.onRequest.map((route) => (
            <Route key={`request ${route.provider}`} label={text.audio.onRequest} route={route} />
          ))}
        </ol>
      </Card>
    </Section>
  );
}

function Route({ label, route }: { label: string; route: SpeechRoute }) {
  return (
    <li className="grid gap-x-4 sm:grid-cols-[11rem_1fr]">
      <span className="text-sm text-soft">
        {label} <code className="font-mono text-[0.8125rem]">{route.provider}</code>
      </span>
      <span className="[overflow-wrap:anywhere]">{audioSentence(route)}</span>
    </li>
  );
}

function Server({ view: { version, speech, store, registry, livekit } }: { view: SettingsView }) {
  return (
    <Section title={text.server.title}>
      <Card className="p-4 sm:p-5">
        <dl className="grid gap-3">
          <Fact name={text.server.store}>
            {store.kind === 'pglite' ? text.server.folder : text.server.postgres(store.host ?? '')}
          </Fact>
          <Fact name={text.server.registry}>
            {registry.kind === 'memory' ? text.server.memory : text.server.redis(registry.host ?? '')}
          </Fact>
          <Fact name={text.server.livekit}>
            {livekit.url}
            {livekit.publicUrl !== livekit.url && ` ${text.server.publicUrl(livekit.publicUrl)}`}
          </Fact>
          <Fact name={text.server.language}>{speech.language}</Fact>
          <Fact name={text.server.version}>{version}</Fact>
        </dl>
      </Card>
    </Section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid gap-x-4 sm:grid-cols-[11rem_1fr]">
      <dt className="text-sm text-soft">{name}</dt>
      <dd className="[overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}
