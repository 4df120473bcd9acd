/**
 * Adapters that break one rule each, made of a good one. The adapter cases have to tell them apart.
 */

import type { Adapter, AdapterContext, AdapterMessage, Clock, Payload, PublishMeta } from "holdfast"

/** Makes a good adapter bad. */
export type Spoil = (adapter: Adapter, clock: Clock) => Adapter

type Changes = Partial<{ -readonly [K in keyof Adapter]: Adapter[K] }>

/** The same adapter, but for what is changed. */
function spoiled(adapter: Adapter, change: (good: Adapter) => Changes): Adapter {
  const good: Adapter = {
    capabilities: adapter.capabilities,
    connect: (context) => adapter.connect(context),
    subscribe: (channels) => adapter.subscribe(channels),
    unsubscribe: (channels) => adapter.unsubscribe(channels),
    publish: (channel, payload, meta) => adapter.publish(channel, payload, meta),
    send: (nodeId, operation, bytes) => adapter.send(nodeId, operation, bytes),
    health: () => adapter.health(),
    close: (options) => adapter.close(options),
  }
  return { ...good, ...change(good) }
}

/** Changes what the adapter hands to its hub. */
function hearing(change: (context: AdapterContext) => Partial<AdapterContext>) {
  return (adapter: Adapter) =>
    spoiled(adapter, (good) => ({ connect: (context) => good.connect({ ...context, ...change(context) }) }))
}

/** Changes what comes in. */
function receiving(change: (message: AdapterMessage, deliver: (message: AdapterMessage) => void) => void) {
  return hearing((context) => ({ onMessage: (message) => change(message, context.onMessage) }))
}

/** Changes what goes out. */
function publishing(
  change: (good: Adapter, ...args: [string, Payload, PublishMeta]) => ReturnType<Adapter["publish"]>,
) {
  return (adapter: Adapter) => spoiled(adapter, (good) => ({ publish: (...args) => change(good, ...args) }))
}

/** Changes how channels are named, on all ways. */
function renaming(rename: (channel: string) => string) {
  return (adapter: Adapter) =>
    spoiled(adapter, (good) => ({
      subscribe: (channels) => good.subscribe(channels.map(rename)),
      unsubscribe: (channels) => good.unsubscribe(channels.map(rename)),
      publish: (channel, ...rest) => good.publish(rename(channel), ...rest),
    }))
}

/** Hands messages to the hub in pairs, the later one first. */
function swapped(): (adapter: Adapter) => Adapter {
  const kept = new WeakMap<AdapterContext, AdapterMessage>()
  return hearing((context) => ({
    onMessage: (message) => {
      const first = kept.get(context)
      kept.delete(context)
      if (first) for (const it of [message, first]) context.onMessage(it)
      else if (/^[xy]?\d+$/.test(String(message.payload))) kept.set(context, message)
      else context.onMessage(message)
    },
  }))
}

/** What breaks a rule, and how the rule reads. */
export const SPOILED: Readonly<Record<string, Spoil>> = {
  "echoes what a node publishes": (adapter) => {
    let context: AdapterContext | undefined
    const channels = new Set<string>()
    return spoiled(adapter, (good) => ({
      connect: (given) => {
        context = given
        return good.connect(given)
      },
      subscribe: (more) => {
        for (const it of more) channels.add(it)
        return good.subscribe(more)
      },
      publish: (channel, payload, meta) => {
        const mine = { channel, payload, ...meta, nodeId: context?.nodeId ?? "" }
        if (channels.has(channel)) context?.onMessage(mine)
        return good.publish(channel, payload, meta)
      },
    }))
  },
  "delivers twice": receiving((message, deliver) => {
    deliver(message)
    deliver(message)
  }),
  "loses order": swapped(),
  "loses the order of operations": hearing((context) => {
    let kept: Parameters<AdapterContext["onOperation"]> | undefined
    return {
      onOperation: (...args) => {
        if (kept) {
          context.onOperation(...args)
          context.onOperation(...kept)
          kept = undefined
        } else if (/ \d+$/.test(args[1])) kept = args
        else context.onOperation(...args)
      },
    }
  }),
  "confirms a subscription too early": (adapter, clock) =>
    spoiled(adapter, (good) => ({
      subscribe: (channels) => {
        clock.setTimer(() => void (async () => good.subscribe(channels))().catch(() => {}), 1)
      },
    })),
  "loses a payload now and then": (adapter) => {
    let count = 0
    const losing = receiving((message, deliver) => {
      count += 1
      if (count % 10 !== 0) deliver(message)
    })
    return losing(adapter)
  },
  "turns bytes into text": receiving((message, deliver) =>
    deliver({ ...message, payload: String(message.payload) }),
  ),
  "cuts large payloads": receiving((message, deliver) =>
    deliver({ ...message, payload: message.payload.slice(0, 65_536) }),
  ),
  "drops empty payloads": publishing((good, channel, payload, meta) =>
    payload.length > 0 ? good.publish(channel, payload, meta) : undefined,
  ),
  "forgets who is left out": publishing((good, channel, payload) =>
    good.publish(channel, payload, { exceptIds: [], exceptChannels: [] }),
  ),
  "names no sender": hearing((context) => ({
    onMessage: (message) => context.onMessage({ ...message, nodeId: "" }),
    onOperation: (_nodeId, operation, bytes) => context.onOperation("", operation, bytes),
  })),
  "trims the names of channels": renaming((channel) => channel.trim()),
  "cuts long names of channels": renaming((channel) => channel.slice(0, 512)),
  "keeps what was unsubscribed": (adapter) => spoiled(adapter, () => ({ unsubscribe() {} })),
  "sends an operation to everybody": (adapter) =>
    spoiled(adapter, (good) => ({ send: (_nodeId, operation, bytes) => good.send("*", operation, bytes) })),
  "echoes operations": (adapter) => {
    let context: AdapterContext | undefined
    return spoiled(adapter, (good) => ({
      connect: (given) => {
        context = given
        return good.connect(given)
      },
      send: (nodeId, operation, bytes) => {
        if (nodeId === "*") context?.onOperation(context.nodeId, operation, bytes)
        return good.send(nodeId, operation, bytes)
      },
    }))
  },
  "drops the bytes of operations": (adapter) =>
    spoiled(adapter, (good) => ({ send: (nodeId, name) => good.send(nodeId, name, new Uint8Array()) })),
  "never tells its state": hearing(() => ({ onState() {} })),
  "is always well": (adapter) =>
    spoiled(adapter, (good) => ({ health: () => ({ ...good.health(), state: "up" }) })),
  "keeps gaps to itself": hearing(() => ({ onGap() {} })),
  "reports gaps without a count": hearing((context) => ({
    onGap: ({ channels, reason }) => context.onGap({ channels, reason }),
  })),
  "reports gaps that are none": hearing((context) => ({
    onMessage: (message) => {
      context.onMessage(message)
      if (message.payload === "50") context.onGap({ channels: [message.channel], reason: "a guess" })
    },
  })),
  "takes a publication after close": (adapter) => {
    let isClosed = false
    return spoiled(adapter, (good) => ({
      publish: (...args) => (isClosed ? undefined : good.publish(...args)),
      close: (options) => {
        isClosed = true
        return good.close(options)
      },
    }))
  },
  "publishes again until it succeeds": (adapter, clock) => {
    let isClosed = false
    return spoiled(adapter, (good) => ({
      publish: async (...args) => {
        for (;;) {
          try {
            return await good.publish(...args)
          } catch (error) {
            if (isClosed || (error as { code?: unknown }).code === "PAYLOAD_TOO_LARGE") throw error
            await new Promise<void>((resolve) => void clock.setTimer(resolve, 10))
          }
        }
      },
      close: (options) => {
        isClosed = true
        return good.close(options)
      },
    }))
  },
  "throws errors without a code": publishing(async (good, ...args) => {
    try {
      await good.publish(...args)
    } catch {
      throw new Error("no")
    }
  }),
  "does not subscribe again after an outage": (adapter) => {
    const wanted = new Set<string>()
    return spoiled(adapter, (good) => ({
      connect: (context) => {
        let wasUp = false
        return good.connect({
          ...context,
          onState: (state) => {
            context.onState(state)
            if (state === "up" && wasUp) void good.unsubscribe([...wanted])
            wasUp ||= state === "up"
          },
        })
      },
      subscribe: (channels) => {
        for (const it of channels) wanted.add(it)
        return good.subscribe(channels)
      },
    }))
  },
  "delivers after close": (adapter) => spoiled(adapter, () => ({ close() {} })),
  "cannot be used again": (adapter) => {
    let isOver = false
    return spoiled(adapter, (good) => ({
      connect: (context) => (isOver ? Promise.reject(new Error("over")) : good.connect(context)),
      close: (options) => {
        isOver = true
        return good.close(options)
      },
    }))
  },
}
