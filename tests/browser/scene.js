// A Watch over a transport that does what the test says: `scene.on` speaks for the open connection.
window.makeScene = async () => {
  const { Watch } = await import("/demo/watch.js");
  const scene = { requests: [], states: [], changes: [], closed: 0 };
  const open = (request, on) => {
    scene.requests.push(request.cursor);
    scene.on = on;
    return () => (scene.closed += 1);
  };
  scene.watch = new Watch("stocks", open, {
    changed: (resource) => scene.changes.push(resource),
    stateChanged: (state) => scene.states.push(state.name),
    heard: () => {},
  });
  scene.put = (id, version, data = null) => scene.on.frame({ event: "put", resource: `stocks/${id}`, version, data }, null);
  scene.delete = (id, version) => scene.on.frame({ event: "delete", resource: `stocks/${id}`, version }, null);
  scene.synced = (cursor, resumed) => scene.on.frame({ event: "synced", watch: "stocks", cursor, resumed }, cursor);
  scene.bookmark = (cursor, skipped = 0) => scene.on.frame({ event: "bookmark", cursor, as_of: "2026-01-01T00:00:00Z", skipped }, cursor);
  scene.reset = (reason) => scene.on.frame({ event: "reset", watch: "stocks", reason }, null);
  scene.lose = () => scene.on.ended({ reason: "lost", retry: true, delay_ms: 0 });
  scene.versions = () => Object.fromEntries([...scene.watch.resources.all()].map(([name, { version }]) => [name.slice(7), version]));
  scene.watch.start();
  window.scene = scene;
};
