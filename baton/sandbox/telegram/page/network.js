// Requests to the people's interface of the sandbox, and its stream of events.

export async function api(path, body) {
  let response;
  try {
    const options = body === undefined ? {}
      : body instanceof FormData ? { method: "POST", body }
      : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    response = await fetch(`sandbox/${path}`, options);
  } catch (error) {
    throw new Error("The sandbox does not answer.", { cause: error });
  }
  let reply;
  try {
    reply = await response.json();
  } catch (error) {
    throw new Error(`The sandbox answered ${response.status} ${response.statusText}.`, { cause: error });
  }
  if (!response.ok) throw new Error(reply.error || `The sandbox answered ${response.status}.`);
  return reply;
}

// Calls `onEvent` for each event, `onRestart` when the stream comes from another sandbox than before, and `onState`
// with true or false when the connection is there or lost. Resumes after the last event that it saw.
export function listen({ onEvent, onRestart, onState }) {
  let sandbox = null;
  let last = null;

  function connect() {
    const source = new EventSource(last === null ? "sandbox/events" : `sandbox/events?after=${last}`);
    source.addEventListener("hello", (hello) => {
      const told = JSON.parse(hello.data);
      const isFirst = sandbox === null;
      if (sandbox !== told.sandbox) last = told.last;
      if (!isFirst && sandbox !== told.sandbox) onRestart();
      sandbox = told.sandbox;
      onState(true);
    });
    source.onmessage = (message) => {
      last = Number(message.lastEventId);
      onEvent(JSON.parse(message.data));
    };
    source.onerror = () => {
      onState(false);
      // The browser gives up for good after some errors, a proxy's 502 for one.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
    };
  }

  connect();
}
