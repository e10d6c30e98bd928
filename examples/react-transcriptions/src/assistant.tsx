import { useVoiceAssistant } from '@livekit/components-react';

/** The voice agent of the room, as pages that talk to one find it. The agent that transcribes is none. */
export function Assistant() {
  const { agent, state } = useVoiceAssistant();
  return (
    <p role="status">{agent ? `Voice agent: ${agent.identity} (${state})` : 'No voice agent in this room'}</p>
  );
}
