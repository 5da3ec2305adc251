/** Tests bring their own. */
export const world = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (call, ms) => setTimeout(call, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  fetch: (url, init) => fetch(url, init),
  WebSocket: globalThis.WebSocket,
};
