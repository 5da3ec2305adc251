export function addressOf(base, path, verb, parameters = {}) {
  const slash = path.indexOf("/");
  const names = slash < 0 ? [path] : [path.slice(0, slash), path.slice(slash + 1)];
  const url = new URL(`${base}/v1/${[...names.map(encodeURIComponent), ...(verb ? [verb] : [])].join("/")}`);
  for (const [name, value] of Object.entries(parameters)) if (value != null) url.searchParams.set(name, value);
  return url;
}
