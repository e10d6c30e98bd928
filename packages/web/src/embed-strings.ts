/** The words of embedded captions, apart from the others, so that the small script carries no more than these. */
export const embedStrings = {
  label: 'Live captions',
  finals: 'What was said',
  said: (speaker: string, text: string) => `${speaker}: ${text}`,
  connecting: 'Connecting…',
  listening: 'Listening. Captions appear when somebody speaks.',
  waiting: 'Captions begin when this room is transcribed.',
  queued: 'Captions begin as soon as there is a free place for this room.',
  lost: 'The connection is lost. Trying again…',
  ended: 'The transcription has ended.',
  refused: (reason: string) => `No captions: ${reason}`,
  noToken: 'the attribute “token” is missing. Give it a LiveKit access token for the room.',
  trouble: {
    delayed: 'Captions are late at the moment.',
    down: 'Captions have stopped for now; what is said is not written down.',
    missing: 'Somebody speaks, and there are no captions of it so far.',
  },
};
