import { LogOut, Mic, MicOff, Video, VideoOff } from 'lucide-react';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { legible } from '../../lib/format.ts';
import { SpeakerColours } from '../../lib/speaker-colours.ts';
import { strings } from '../../strings.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Name } from '../../ui/name.tsx';
import { CaptionBanner } from '../live/caption-banner.tsx';
import { CaptionScroller, SpokenLog, useViewControl } from '../live/caption-scroller.tsx';
import { useTextFont } from '../live/text-font.ts';
import { useTextSize } from '../live/text-size.ts';
import { useCaptions, useLastSession, useRoom } from '../live/use-captions.ts';
import { roomState } from '../rooms/room-state.ts';
import { Cameras } from './cameras.tsx';
import { LevelMeter } from './level-meter.tsx';
import type { CallView, Person, RoomCall } from './room-call.ts';

const text = strings.join;

/** Being in the room: who else is, your microphone, and captions of all. */
export function InCall({ room, call, onLeft }: { room: string; call: RoomCall; onLeft: () => void }) {
  const view = useSyncExternalStore(call.subscribe, () => call.view);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const [colours] = useState(() => new SpeakerColours());
  const leave = () => void call.leave().then(onLeft);
  return (
    <main
      id="content"
      className="mx-auto flex h-[calc(100dvh-3.5625rem)] w-full max-w-5xl flex-col sm:px-6 sm:py-4"
    >
      <div className="flex min-h-0 flex-1 flex-col overflow-hidden border-line bg-card sm:rounded-xl sm:border">
        <header className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-4 py-2.5 sm:px-7">
          <h1 ref={heading} tabIndex={-1} className="min-w-0 flex-1 text-lg font-semibold tracking-tight">
            <Name text={room} />
          </h1>
          <Transcribed room={room} />
        </header>
        <People people={view.people} colours={colours} />
        <Cameras people={view.people} />
        {view.state !== 'connected' && (
          <p role="status" className="bg-wait-well px-4 py-2 text-sm font-medium text-wait sm:px-7">
            {text.states[view.state]}
          </p>
        )}
        {view.microphoneFault !== null && <Fault text={text.microphoneFault(view.microphoneFault)} />}
        {view.cameraFault !== null && <Fault text={text.cameraFault(view.cameraFault)} />}
        <CallCaptions room={room} colours={colours} />
        <Controls view={view} call={call} onLeave={leave} />
      </div>
    </main>
  );
}

function Fault({ text }: { text: string }) {
  return (
    <p role="alert" className="bg-bad-well px-4 py-2 text-sm font-medium text-bad sm:px-7">
      {text}
    </p>
  );
}

/** Says at any time whether what is said is written down. */
function Transcribed({ room }: { room: string }) {
  const { data } = useRoom(room);
  if (!data) return <Badge tone="idle">{text.notTranscribed}</Badge>;
  const { tone, text: state } = roomState(data);
  return (
    <Badge tone={tone} pulse={tone === 'good'}>
      {tone === 'good' ? text.transcribed : state}
    </Badge>
  );
}

function People({ people, colours }: { people: readonly Person[]; colours: SpeakerColours }) {
  return (
    <ul
      aria-label={text.people}
      className="flex gap-2 overflow-x-auto border-b border-line px-4 py-2.5 sm:px-7"
    >
      {people.map(({ identity, name, isYou, isSpeaking, isMuted }) => (
        <li
          key={identity}
          className={`flex shrink-0 items-center gap-2 rounded-full border py-1 pr-3 pl-2 text-sm ${isSpeaking ? 'border-good bg-good-well' : 'border-line'}`}
        >
          {isMuted ? (
            <MicOff role="img" aria-label={text.muted} className="size-4 text-soft" />
          ) : (
            <Mic
              role="img"
              aria-label={isSpeaking ? text.speaking : text.unmuted}
              className="size-4 text-good"
            />
          )}
          <bdi className={`max-w-40 truncate font-medium ${colours.textClass(identity)}`}>
            {legible(name).slice(0, 60)}
          </bdi>
          {isYou && <span className="text-soft">{text.you}</span>}
        </li>
      ))}
    </ul>
  );
}

function CallCaptions({ room, colours }: { room: string; colours: SpeakerColours }) {
  const view = useRoom(room);
  const { captions } = useCaptions(useLastSession(view.data?.sessionId ?? null));
  const control = useViewControl(captions);
  const { sizeClass } = useTextSize();
  const { fontClass } = useTextFont();
  return (
    <>
      <CaptionBanner view={view.data ?? null} />
      <CaptionScroller control={control} colours={colours} textClass={`${sizeClass} ${fontClass}`} />
      <SpokenLog captions={captions} />
    </>
  );
}

function Controls({ view, call, onLeave }: { view: CallView; call: RoomCall; onLeave: () => void }) {
  const Icon = view.isMuted ? MicOff : Mic;
  const CameraIcon = view.isCameraOn ? VideoOff : Video;
  return (
    <footer className="flex flex-wrap items-center gap-3 border-t border-line px-4 py-3 sm:px-7">
      <Button
        look={view.isMuted ? 'danger' : 'plain'}
        aria-pressed={view.isMuted}
        onClick={() => void call.setMuted(!view.isMuted)}
        className="min-w-28"
      >
        <Icon aria-hidden className="size-4" />
        {view.isMuted ? text.unmute : text.mute}
      </Button>
      <Button onClick={() => void call.setCamera(!view.isCameraOn)}>
        <CameraIcon aria-hidden className="size-4" />
        {view.isCameraOn ? text.cameraOff : text.cameraOn}
      </Button>
      <LevelMeter read={() => call.level()} />
      <label className="flex min-w-0 flex-1 basis-48 items-center gap-2 text-sm">
        <span className="sr-only">{text.microphone}</span>
        <select
          value={view.deviceId}
          onChange={(event) => void call.chooseDevice(event.target.value)}
          className="min-h-9 w-full max-w-72 min-w-0 truncate rounded-lg border border-edge bg-card px-2"
        >
          {view.devices.map(({ id, label }, index) => (
            <option key={id} value={id}>
              {label || text.unnamedMicrophone(index + 1)}
            </option>
          ))}
        </select>
      </label>
      <Button look="danger" onClick={onLeave}>
        <LogOut aria-hidden className="size-4" />
        {text.leave}
      </Button>
    </footer>
  );
}
