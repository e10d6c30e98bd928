// The page asks its own server for a token, as it would for one to join the room with, and gives it to the captions.
const captions = document.querySelector('dialoglens-captions');
const room = new URLSearchParams(location.search).get('room') ?? captions.getAttribute('room');
captions.setAttribute('room', room);

async function renewToken() {
  const response = await fetch(`/token?room=${encodeURIComponent(room)}`);
  if (response.ok) captions.setAttribute('token', await response.text());
  else console.error(`No token: ${await response.text()}`);
}

// A token that has run out is replaced; the captions go on after the last event they had.
captions.addEventListener('dialoglens-state', ({ detail: { code } }) => {
  if (code === 'token_expired') void renewToken();
});
captions.addEventListener('dialoglens-final', ({ detail: { speaker, text } }) => {
  console.info(`${speaker}: ${text}`);
});

await renewToken();
