/**
 * Preloaded into a recipe: whatever port it asks for, it gets a free one of this machine, and says which.
 */

import { Server } from "node:net"

const { listen } = Server.prototype

Server.prototype.listen = function (given, ...rest) {
  this.once("listening", () => console.log(`listening on ${this.address().port}`))
  const callback = rest.find((it) => typeof it === "function")
  // frameworks pass an object, with things of their own in it
  if (typeof given === "object") return listen.call(this, { ...given, port: 0, host: "127.0.0.1" }, callback)
  return listen.call(this, 0, "127.0.0.1", callback)
}
