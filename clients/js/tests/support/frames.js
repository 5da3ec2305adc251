export const put = (resource, version, data = version) => ({ event: "put", resource, version: `${version}`, data });
export const del = (resource, version) => ({ event: "delete", resource, version: `${version}` });
export const synced = (watch, cursor, resumed = false) => ({ event: "synced", watch, cursor, resumed });
export const bookmark = (cursor, skipped = 0) => ({ event: "bookmark", cursor, as_of: "2026-01-01T00:00:15.000Z", skipped });
export const reset = (watch, reason = "epoch") => ({ event: "reset", watch, reason });

/** A token that ends at this time, by its own word. */
export function jwt(endsAtMs, name = "ann") {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ sub: name, exp: endsAtMs / 1000 })}.signature`;
}
