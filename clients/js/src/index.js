export { WatchClient } from "./client.js";
export { WatchError } from "./problem.js";
