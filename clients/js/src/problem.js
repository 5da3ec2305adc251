const FINAL = new Set([
  "forbidden", "not_found", "invalid", "too_large", "method_not_allowed", "not_acceptable", "head_too_large",
]);
export const NEEDS_TOKEN = new Set(["unauthenticated", "token_expired"]);
export const isFinal = ({ code, retry }) => FINAL.has(code) || (retry === false && !NEEDS_TOKEN.has(code));

const CLOSES = { 1009: "too_large", 4400: "invalid", 4401: "unauthenticated", 4403: "forbidden", 4404: "not_found" };

export class WatchError extends Error {
  retryMs;
  retry;

  constructor(code, message, members) {
    super(message || code);
    this.name = "WatchError";
    Object.assign(this, members);
    this.code = code;
  }
}

export function fromFrame({ event, code, message, retry_in_ms, ...members }) {
  return new WatchError(code, message, { ...members, retryMs: retry_in_ms });
}

export function fromClose(code) {
  return new WatchError(CLOSES[code] ?? "lost", `the connection ended (${code})`);
}

/** A proxy may answer without a problem document. */
export async function fromAnswer(answer, now) {
  const { code, detail, type, title, ...members } = await answer.json().catch(() => ({}));
  const retryMs = waitOf(answer.headers, now);
  return new WatchError(code ?? "lost", detail ?? `HTTP ${answer.status}`, { ...members, status: answer.status, retryMs });
}

/** Seconds, or a date by the server's clock, where that can be read. What is past, or is neither, says nothing. */
function waitOf(headers, now) {
  const after = headers.get("Retry-After") ?? "";
  if (/^\d+$/.test(after)) return after * 1000;
  const ms = Date.parse(after) - (Date.parse(headers.get("Date")) || now);
  return ms > 0 ? ms : undefined;
}
