import { ShieldX } from 'lucide-react';
import { useMe } from '../../lib/me.ts';
import { strings } from '../../strings.ts';
import { Page, Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { KeysSection } from './keys-section.tsx';
import { ServerSection } from './server-section.tsx';

const text = strings.settings;

/** What leaves the network, how the server is set, and who may use it. */
export function SettingsPage() {
  const me = useMe();
  return (
    <Page title={text.title} tab={text.title} lead={text.lead}>
      {me.data === undefined ? (
        me.error ? (
          <Failure error={me.error} retry={() => void me.refetch()} />
        ) : (
          <Loading />
        )
      ) : !me.data.may.operate ? (
        <Empty icon={ShieldX} title={text.notForYou}>
          <p className="mt-1 text-soft">{text.notForYouText}</p>
        </Empty>
      ) : (
        <>
          <ServerSection />
          {me.data.may.administer ? (
            <KeysSection me={me.data} />
          ) : (
            <Section title={text.keys.title}>
              <p className="text-soft">{text.keys.notForYou}</p>
            </Section>
          )}
        </>
      )}
    </Page>
  );
}
