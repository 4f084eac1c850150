import { setTimeout as wait } from 'node:timers/promises'
import {
  openClient,
  type GroupMember,
  type OwnedPartition,
} from '../../../packages/millrace/src/client/index.ts'
import { everyMs, followCommands, readArguments, tell, Tenures } from './client.ts'

const { name, brokers, topic, partitions, group } = readArguments()
const client = openClient({ brokers: [brokers], clientId: name })
const producer = client.producer({ deliveryTimeoutMs: 60_000 })
const tenures = new Tenures(name, group)
const sending = new Set<Promise<void>>()
let member = join()
const told = followCommands(() => {
  void member.close({ timeoutMs: 5000 }).finally(() => (member = join()))
})

for (let nth = 0; told.isProducing; nth++) {
  for (let partition = 0; partition < partitions; partition++) {
    const one = send(partition, `${name}/${partition}/${nth}`)
    sending.add(one)
    void one.finally(() => sending.delete(one))
  }
  await wait(everyMs)
}
await Promise.all(sending)
tell({ e: 'quiet' })
await told.ended
process.exit()

async function send(partition: number, value: string): Promise<void> {
  tell({ e: 'send', producer: name, partition, value })
  try {
    const { offset } = await producer.send({ topic, partition, value })
    tell({ e: 'sent', value, partition, offset })
  } catch (error) {
    // It may be in the log all the same: its outcome stays unknown.
    tell({ e: 'trouble', about: String(error) })
  }
}

function join(): GroupMember {
  const own = client.joinGroup({
    groupId: group,
    topics: [topic],
    sessionTimeoutMs: 10_000,
    onAssigned: (assigned) => {
      for (const partition of assigned) {
        tenures.begin(partition.partition)
        void read(own, partition)
      }
    },
    onError: (error) => tell({ e: 'trouble', about: String(error) }),
  })
  own.ready().catch((error: unknown) => tell({ e: 'trouble', about: String(error) }))
  return own
}

async function read(own: GroupMember, source: OwnedPartition): Promise<void> {
  const { partition } = source
  while (source.isOwned) {
    const messages = source.take(100)
    for (const { offset, value } of messages) tenures.poll(partition, offset, String(value))
    const last = messages.at(-1)
    try {
      if (last === undefined) await source.available()
      else {
        const [verdict] = await own.commit([{ partition: source, offset: last.offset + 1 }])
        if (verdict === 'committed') tenures.committed(partition, last.offset + 1)
      }
    } catch (error) {
      tell({ e: 'trouble', about: String(error) })
      await wait(100)
    }
    // A partition that is being taken away says at once that it may be looked at.
    await wait(1)
  }
}
