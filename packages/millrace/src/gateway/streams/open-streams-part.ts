import type { GatewayPart } from '../command.ts'
import type { GatewayCore } from '../gateway-core.ts'
import type { ProducePart } from '../produce/index.ts'
import { StreamGroups } from './groups.ts'
import { Keyspace } from './keyspace.ts'
import { PendingCommands } from './pending-commands.ts'
import { Ranges } from './range.ts'
import { refusedCommands } from './refused.ts'
import { streamsCore } from './streams-core.ts'
import { Subscriptions } from './subscriptions.ts'
import { Adder } from './xadd.ts'
import { GroupCommands } from './xgroup.ts'
import { InfoCommands } from './xinfo.ts'
import { StreamReader } from './xread.ts'
import { GroupReader } from './xreadgroup.ts'

/** How long a stop waits for acknowledgements of what was handed out. */
const graceMs = 1000

/** Redis Streams commands on topics. All of them are extensions: the original had none. */
export function openStreamsPart(gateway: GatewayCore, produce: ProducePart): GatewayPart {
  const core = streamsCore(gateway, produce)
  const adder = new Adder(core)
  const ranges = new Ranges(core)
  const reader = new StreamReader(core)
  const keyspace = new Keyspace(core)
  const subscriptions = new Subscriptions(core)
  const groups = new StreamGroups(core)
  const groupReader = new GroupReader(core, groups)
  const pending = new PendingCommands(core, groups, groupReader)
  const groupCommands = new GroupCommands(core, groups)
  const info = new InfoCommands(core, groups, ranges)
  return {
    commands: {},
    extensions: {
      XADD: adder.xadd,
      XLEN: ranges.xlen,
      XRANGE: ranges.xrange,
      XREVRANGE: ranges.xrevrange,
      XREAD: reader.xread,
      XGROUP: groupCommands.xgroup,
      XREADGROUP: groupReader.xreadgroup,
      XACK: pending.xack,
      XPENDING: pending.xpending,
      XCLAIM: pending.xclaim,
      XAUTOCLAIM: pending.xautoclaim,
      XINFO: info.xinfo,
      EXISTS: keyspace.exists,
      TYPE: keyspace.type,
      SCAN: keyspace.scan,
      SUBSCRIBE: subscriptions.subscribe,
      UNSUBSCRIBE: subscriptions.unsubscribe,
      ...refusedCommands,
    },
    closed(session) {
      reader.closed(session)
      subscriptions.closed(session)
      groups.closed(session)
      return Promise.resolve()
    },
    async drain() {
      core.waits.drain()
      await groups.leaveAll(graceMs)
    },
    async stop() {
      core.waits.end()
      reader.close()
      subscriptions.close()
      await groups.leaveAll(0)
    },
    figures() {
      let consumers = 0
      let entries = 0
      const lags: { labels: Readonly<Record<string, string>>; value: number }[] = []
      for (const group of groups.values()) {
        for (const consumer of group.consumers.values()) {
          consumers++
          entries += consumer.pending
          for (const { owned } of consumer.held) {
            const { topic, partition, lag } = owned
            const labels = { group: group.groupId, topic, partition: String(partition) }
            if (lag >= 0) lags.push({ labels, value: lag })
          }
        }
      }
      return {
        streams_consumers: consumers,
        streams_pending_entries: entries,
        streams_blocked_calls: core.waits.blocked,
        streams_subscribers: subscriptions.size,
        streams_lag: lags,
      }
    },
  }
}
