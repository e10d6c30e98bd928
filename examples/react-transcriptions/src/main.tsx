import { LiveKitRoom } from '@livekit/components-react';
import { createRoot } from 'react-dom/client';
import { Assistant } from './assistant.tsx';
import { Captions } from './captions.tsx';

/** Where to go, and with what, as `dialoglens token` prints it or your server gives it out. */
const wish = new URLSearchParams(location.search);

function App() {
  const [url, token] = [wish.get('url'), wish.get('token')];
  if (url === null || token === null) {
    return <p>Add ?url=ws://…&amp;token=… to the address: where LiveKit is, and a token for a room.</p>;
  }
  return (
    <LiveKitRoom serverUrl={url} token={token} connect audio={false} video={false}>
      <h1>Captions by LiveKit’s own hooks</h1>
      <Assistant />
      <Captions />
    </LiveKitRoom>
  );
}

const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
