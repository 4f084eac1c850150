/**
 * Lanes against one message after the other: `node bench/lanes.ts [--rounds N]`. One partition, a handler that waits 5 ms as
 * for a database, 64 keys, 64 calls at once.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  startWorker,
  text,
} from '../packages/millrace/src/app/index.ts'
import { openClient } from '../packages/millrace/src/client/index.ts'
import { openEngine } from './engines.ts'
import { report, rowOf } from './row.ts'

const handlerMs = 5
const lanes = 64
const at = process.argv.indexOf('--rounds')
const rounds = Number(at < 0 ? 1 : process.argv[at + 1])

await using engine = await openEngine('embedded')
const sequential: number[] = []
const inLanes: number[] = []
for (let round = 0; round < rounds; round++) {
  sequential.push(await run(1, 300, `one-${round}`))
  inLanes.push(await run(lanes, 300 * lanes, `lanes-${round}`))
}
await report([
  rowOf({
    name: `lanes, ${lanes} at once with a ${handlerMs} ms handler`,
    unit: 'messages/s',
    ours: inLanes,
    peer: sequential,
    peerName: 'one after the other',
    goal: 50,
    better: 'more',
  }),
])

/** Messages a second, from the first call to the last end. */
async function run(concurrency: number, count: number, name: string): Promise<number> {
  const topic = defineTopic(name, { key: text(), value: text() })
  await using client = openClient({ brokers: [engine.address], clientId: 'bench' })
  await client.admin.createTopics([{ name, partitions: 1 }])
  await client
    .producer()
    .sendMany(
      Array.from({ length: count }, (_, n) => ({ topic: name, key: `k${n % lanes}`, value: 'x' })),
    )
  const all = Promise.withResolvers<void>()
  let startMs = 0
  let done = 0
  const consumer = defineConsumer({
    topic,
    concurrency,
    async each() {
      if (startMs === 0) startMs = performance.now()
      await wait(handlerMs)
      if (++done === count) all.resolve()
    },
  })
  await using _worker = await startWorker(
    {
      brokers: [engine.address],
      clientId: `bench-${name}`,
      worker: { concurrency: lanes },
      app: defineApp({ consumers: [consumer] }),
    },
    { signals: false, env: {}, log: false },
  )
  await all.promise
  return count / ((performance.now() - startMs) / 1000)
}
