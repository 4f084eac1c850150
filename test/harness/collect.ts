import { setImmediate as turn } from 'node:timers/promises'
import type {
  Client,
  ClientMessage,
  GroupMember,
  GroupOptions,
  OwnedPartition,
} from '../../packages/millrace/src/client/index.ts'

export interface CollectOptions extends Omit<GroupOptions, 'onAssigned' | 'onRevoked'> {
  /** When positions are committed: as messages are taken and before partitions go (default), or never. */
  readonly commits?: 'always' | 'never'
  readonly onMessage?: (message: ClientMessage) => void
}

export interface Collector extends AsyncDisposable {
  readonly member: GroupMember
  /** Grows as messages come. */
  readonly messages: readonly ClientMessage[]
  /** `topic/partition` of what is held now, in order. */
  readonly held: () => readonly string[]
  /** Commits what has been taken so far. */
  readonly commit: () => Promise<void>
  readonly close: () => Promise<void>
}

const takenAtOnce = 100

/** The smallest consumer: joins a group and keeps what comes, on the bare client. */
export function collect(client: Client, options: CollectOptions): Collector {
  const { commits = 'always', onMessage, ...groupOptions } = options
  const messages: ClientMessage[] = []
  const pumps = new Set<Promise<void>>()

  const commitOf = async (partitions: readonly OwnedPartition[]): Promise<void> => {
    const known = partitions.filter(({ position }) => position >= 0)
    await member.commit(known.map((partition) => ({ partition, offset: partition.position })))
  }
  const pump = async (partition: OwnedPartition): Promise<void> => {
    while (partition.isOwned) {
      await partition.available()
      const taken = partition.take(takenAtOnce)
      for (const message of taken) {
        messages.push(message)
        onMessage?.(message)
      }
      // While it is being given back nothing comes, though `available` does not wait any more.
      if (taken.length === 0) await turn()
      else if (commits === 'always') await commitOf([partition])
    }
  }
  const member = client.joinGroup({
    ...groupOptions,
    onAssigned(partitions) {
      for (const partition of partitions) {
        const running = pump(partition).finally(() => pumps.delete(running))
        // Awaited at the close; not to count as unhandled until then.
        running.catch(() => {})
        pumps.add(running)
      }
    },
    async onRevoked(partitions) {
      if (commits === 'always') await commitOf(partitions)
    },
  })
  const close = async (): Promise<void> => {
    await member.close()
    await Promise.all(pumps)
  }
  return {
    member,
    messages,
    held: () => member.owned.map(({ topic, partition }) => `${topic}/${partition}`).toSorted(),
    commit: () => commitOf(member.owned),
    close,
    [Symbol.asyncDispose]: close,
  }
}
