/**
 * Workers that come and go all the time, under load: nothing is lost, the order of each key is kept, and next to nothing
 * comes twice.
 *
 *     node test/chaos/rebalance-storm.ts [SECONDS=60] [MESSAGES_A_SECOND=5000] [WORKERS=20] [inbox]
 *
 * Runs on the embedded broker, or on the Apache Kafka of MILLRACE_TEST_BROKERS. Every second one worker leaves in good
 * order, or one comes, picked at random; the seed is printed and may be given as STORM_SEED. Exits 1 when
 *
 *     - a message was never handled
 *     - a message was handled for the first time before an earlier one of its key
 *     - a handler was called with a message while another call had an older one of the same key in hand
 *     - 0.1 % or more of the messages were handled twice; with `inbox` (SQLite), when one was
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  startWorker,
  text,
  type Messages,
  type MillraceConfig,
  type Worker,
} from '../../packages/millrace/src/app/index.ts'
import { startBrokerThread } from '../../packages/millrace/src/broker/index.ts'
import { openClient } from '../../packages/millrace/src/client/index.ts'
import { sqlInbox } from '../../packages/millrace/src/sqlite/index.ts'
import { engineName } from '../harness/engine.ts'
import { unique } from '../harness/unique.ts'
import { until } from '../harness/until.ts'
import { KeyBook, type Entry } from './key-book.ts'
import { seeded } from './seeded.ts'

const [seconds = 60, perSecond = 5000, most = 20] = process.argv.slice(2, 5).map(Number)
const hasInbox = process.argv[5] === 'inbox'
const seed = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000)
const random = seeded(seed)
const keys = 500
const partitions = 24
const slicesPerSecond = 20

await using engine = await openStormEngine()
const name = unique('storm')
const topic = defineTopic(name, { value: text(), key: text(), partitions })
const book = new KeyBook()

const database = new DatabaseSync(':memory:')
database.exec('create table effects (key text, n integer)')
const effect = database.prepare('insert into effects values (?, ?)')

const inbox = sqlInbox(database)
if (hasInbox) await inbox.createTables()

type Storm = typeof topic
const settings = { topic, group: 'storm', commit: { interval: '1s' } } as const
const consumer = hasInbox
  ? defineConsumer({
      ...settings,
      inbox,
      batch(messages) {
        const entries = entriesOf(messages)
        book.begin(entries)
        for (const { key, n } of entries) effect.run(key, n)
        book.end(entries)
      },
    })
  : defineConsumer({
      ...settings,
      async batch(messages) {
        const entries = entriesOf(messages)
        book.begin(entries)
        await wait(random() * 20)
        book.end(entries)
      },
    })
const config: MillraceConfig = {
  brokers: [engine.address],
  clientId: name,
  // A member hears of a rebalance with its next heartbeat, so this is what a round takes.
  heartbeat: '300ms',
  fetch: { maxWait: '100ms' },
  worker: { concurrency: 64 },
  app: defineApp({ topics: [topic], consumers: [consumer] }),
}

await using client = openClient({ brokers: [engine.address], clientId: `${name}-storm` })
await client.admin.createTopics([{ name, partitions }])
const workers: Worker[] = await Promise.all(Array.from({ length: most / 2 }, start))
console.log(
  `${engineName}: ${seconds} s, ${perSecond} messages/s, up to ${most} workers${hasInbox ? ' with an inbox' : ''}, seed ${seed}`,
)

const sent = send()
let comings = 0
let goings = 0
const endMs = Date.now() + seconds * 1000
while (Date.now() < endMs) {
  await wait(1000)
  const mayJoin = workers.length < most
  const mayLeave = workers.length > 2
  if (mayJoin && (!mayLeave || random() < 0.5)) {
    workers.push(await start())
    comings++
  } else {
    const [one] = workers.splice(Math.floor(random() * workers.length), 1)
    await one?.stop()
    goings++
  }
}
const total = await sent
await until('everything was handled', () => book.handled >= total, {
  deadline: 120_000,
  lastSeen: () => ({
    total,
    handled: book.handled,
    missing: book.behind(Math.floor(total / keys)).slice(0, 5),
  }),
})
await Promise.all(workers.map((worker) => worker.stop()))

const rate = book.repeated / total
const { rows } = database.prepare('select count(*) as rows from effects').get() ?? {}
const isExact = !hasInbox || (rows === total && book.repeated === 0)
console.log(
  `${total} messages, ${comings} came, ${goings} left: ${book.repeated} handled twice ` +
    `(${(rate * 100).toFixed(4)} %), ${book.outOfOrder} out of order, ${book.sideBySide} side by side`,
)
if (book.outOfOrder > 0 || book.sideBySide > 0 || rate >= 0.001 || !isExact) {
  console.log(book.examples.join('\n'))
  process.exitCode = 1
}

function entriesOf(messages: Messages<Storm>): readonly Entry[] {
  return [...messages].map(({ key, value }) => ({ key: String(key), n: Number(value) }))
}

function start(): Promise<Worker> {
  return startWorker(config, { signals: false, env: {}, log: false })
}

/** Messages of all keys in turn, evenly over each second; how many there were. */
async function send(): Promise<number> {
  const producer = client.producer()
  const endAtMs = Date.now() + seconds * 1000
  const startMs = Date.now()
  const sending: Promise<unknown>[] = []
  let count = 0
  while (Date.now() < endAtMs) {
    const due = Math.floor(((Date.now() - startMs) / 1000) * perSecond)
    const batch = []
    for (; count < due; count++)
      batch.push({ topic: name, key: `k${count % keys}`, value: String(Math.floor(count / keys)) })
    if (batch.length > 0) sending.push(producer.sendMany(batch))
    await wait(1000 / slicesPerSecond)
  }
  await Promise.all(sending)
  return count
}

async function openStormEngine(): Promise<AsyncDisposable & { readonly address: string }> {
  const [given] = (process.env['MILLRACE_TEST_BROKERS'] ?? '').split(',').filter(Boolean)
  if (engineName === 'kafka' && given !== undefined)
    return { address: given, [Symbol.asyncDispose]: () => Promise.resolve() }
  const folder = await mkdtemp(join(tmpdir(), 'millrace-storm-'))
  const broker = await startBrokerThread({ folder, port: 0 })
  return {
    address: broker.address,
    async [Symbol.asyncDispose]() {
      await broker.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
