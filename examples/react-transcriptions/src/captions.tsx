import { useParticipants, useTranscriptions } from '@livekit/components-react';

/** Everything that is said in the room. There is nothing in it that knows DialogLens. */
export function Captions() {
  const participants = useParticipants();
  const transcriptions = useTranscriptions();
  const nameOf = (identity: string) =>
    participants.find((participant) => participant.identity === identity)?.name || identity;
  return (
    <ol aria-label="Captions">
      {transcriptions.map(({ text, participantInfo: { identity }, streamInfo: { id, attributes } }) => (
        <li
          key={attributes?.['lk.segment_id'] ?? id}
          lang={attributes?.language}
          dir="auto"
          data-final={attributes?.['lk.transcription_final']}
        >
          <strong>{nameOf(identity)}</strong> {text}
        </li>
      ))}
    </ol>
  );
}
