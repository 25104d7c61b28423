// Long work in short turns, so that the page never waits for it.
const TURN_MS = 8;

function nextTurn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => { port1.close(); resolve(); });
    port1.start();
    port2.postMessage(null);
  });
}

// Runs a generator to its end, some ms at a time; resolves to what it returns, rejects when `signal` aborts.
export async function inTurns(work, signal) {
  for (;;) {
    const until = performance.now() + TURN_MS;
    let step = work.next();
    while (!step.done && performance.now() < until) step = work.next();
    if (step.done) return step.value;
    await nextTurn();
    signal?.throwIfAborted();
  }
}
