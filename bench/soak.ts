/**
 * Half an hour of mixed load on the embedded broker, to see what grows: `node bench/soak.ts [minutes=30]`.
 *
 * Load: single messages of 1 KB, batches of small ones, a group whose members come and go and commit, fresh connections
 * each second, topics made and deleted, retention at work. Every ten seconds the broker's resident memory, open
 * descriptors and event-loop delay are taken, and those of this process, the clients'. The plot goes to
 * `bench/results/soak.svg`, the samples to `soak.json`. Exits 1 when the last third lies above the first by more than
 * its bound, or when a message was lost.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { openClient, type Client, type GroupMember } from '../packages/millrace/src/client/index.ts'
import { memoryMibOf } from './engines.ts'
import { median } from './row.ts'
import { drawPlot, type Curve } from './plot.ts'

const minutes = Number(process.argv[2] ?? 30)
const sampleMs = 10_000
const results = join(import.meta.dirname, 'results')

interface Sample {
  readonly minute: number
  readonly brokerMib: number
  readonly clientMib: number
  readonly brokerDescriptors: number
  readonly clientDescriptors: number
  /** p99 of the ten seconds, with the 10 ms between two looks. */
  readonly brokerDelayMs: number
  readonly clientDelayMs: number
}

/** How far the median of the last third may lie above that of the first, after the first tenth has warmed everything. */
const bounds: Readonly<Record<Exclude<keyof Sample, 'minute'>, number>> = {
  brokerMib: 1.15,
  clientMib: 1.15,
  brokerDescriptors: 1.1,
  clientDescriptors: 1.1,
  brokerDelayMs: 1.5,
  clientDelayMs: 1.5,
}

const folder = await mkdtemp(join(tmpdir(), 'millrace-soak-'))
const options = { retentionCheckMs: 10_000 }
const child = fork(join(import.meta.dirname, 'broker-child.js'), [folder, JSON.stringify(options)])
const [port] = (await once(child, 'message')) as [number]
const brokers = [`127.0.0.1:${port}`]
const until = performance.now() + minutes * 60_000
const isOver = (): boolean => performance.now() >= until

const client = openClient({ brokers, clientId: 'soak' })
const kept = {
  'retention.bytes': String(32 * 1024 * 1024),
  'segment.bytes': String(8 * 1024 * 1024),
}
await client.admin.createTopics(
  ['singles', 'batches'].map((name) => ({ name, partitions: 4, configs: kept })),
)
const counts = { singles: 0, batches: 0, read: 0, rejoins: 0, connections: 0, topics: 0 }
const samples: Sample[] = []
const loads = [writeSingles(), writeBatches(), rejoin(), connect(), makeTopics()]
await Promise.all([...loads, sample()])

// What is written is read: the members have until the end of retention's patience.
const deadline = performance.now() + 30_000
while (counts.read < counts.singles + counts.batches && performance.now() < deadline) await wait(50)
const lost = counts.singles + counts.batches - counts.read
await client.close()
const exited = once(child, 'exit')
child.disconnect()
await exited
await rm(folder, { recursive: true, force: true })

await mkdir(results, { recursive: true })
await writeFile(join(results, 'soak.json'), `${JSON.stringify({ minutes, counts, samples })}\n`)
await writeFile(join(results, 'soak.svg'), drawPlot(`${minutes} minutes of mixed load`, curves()))
console.log(JSON.stringify(counts))
if (lost > 0) {
  console.log(`${lost} messages were never read`)
  process.exitCode = 1
}
const warm = samples.slice(Math.ceil(samples.length / 10))
const third = Math.floor(warm.length / 3)
for (const [name, bound] of Object.entries(bounds) as [keyof typeof bounds, number][]) {
  const first = median(warm.slice(0, third).map((one) => one[name]))
  const last = median(warm.slice(-third).map((one) => one[name]))
  const isFlat = last <= first * bound
  console.log(
    `${isFlat ? 'flat  ' : 'grows '} ${name}: ${first.toFixed(1)} in the first third, ${last.toFixed(1)} in the last (at most ${bound} times)`,
  )
  if (!isFlat) process.exitCode = 1
}

async function writeSingles(): Promise<void> {
  const producer = client.producer()
  const value = Buffer.alloc(1000, 120)
  while (!isOver()) {
    const sends: Promise<unknown>[] = []
    for (let n = 0; n < 10; n++)
      sends.push(producer.send({ topic: 'singles', key: `key-${counts.singles++ % 1000}`, value }))
    await Promise.all(sends)
    await wait(10)
  }
  await producer.close()
}

async function writeBatches(): Promise<void> {
  const producer = client.producer({ compression: 'gzip' })
  const value = Buffer.alloc(100, 120)
  while (!isOver()) {
    const messages = Array.from({ length: 100 }, () => ({ topic: 'batches', value }))
    await producer.sendMany(messages)
    counts.batches += messages.length
    await wait(50)
  }
  await producer.close()
}

/** Two members, one of which leaves each half minute, when another has come. */
async function rejoin(): Promise<void> {
  const open = new Set<ReturnType<typeof openMember>>()
  open.add(openMember(client))
  while (!isOver()) {
    open.add(openMember(client))
    await wait(30_000)
    const [oldest] = open
    if (oldest === undefined) break
    open.delete(oldest)
    await oldest.close()
    counts.rejoins++
  }
  const drained = performance.now() + 30_000
  while (counts.read < counts.singles + counts.batches && performance.now() < drained)
    await wait(50)
  for (const member of open) await member.close()
}

function openMember(of: Client): { close(): Promise<void> } {
  const stop = new AbortController()
  const member: GroupMember = of.joinGroup({
    groupId: 'soak',
    topics: ['singles', 'batches'],
    onRevoked: () => work(),
  })
  /** Takes and commits all that is there. */
  const work = async (): Promise<void> => {
    const entries = []
    for (const partition of member.owned) {
      const messages = partition.take(10_000)
      counts.read += messages.length
      const last = messages.at(-1)
      if (last) entries.push({ partition, offset: last.offset + 1 })
    }
    if (entries.length > 0) await member.commit(entries)
  }
  const running = (async (): Promise<void> => {
    await member.ready()
    while (!stop.signal.aborted) {
      await work()
      await wait(100)
    }
  })()
  return {
    async close() {
      stop.abort()
      await running
      await member.close()
    },
  }
}

async function connect(): Promise<void> {
  while (!isOver()) {
    await using fresh = openClient({ brokers, clientId: 'fresh' })
    await fresh.admin.describeCluster()
    counts.connections++
    await wait(1000)
  }
}

async function makeTopics(): Promise<void> {
  const producer = client.producer()
  while (!isOver()) {
    const name = `short-${counts.topics++}`
    await client.admin.createTopics([{ name, partitions: 4 }])
    await producer.send({ topic: name, value: 'here' })
    await client.admin.deleteTopics([name])
    await wait(10_000)
  }
  await producer.close()
}

async function sample(): Promise<void> {
  const startMs = performance.now()
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  while (!isOver()) {
    delay.reset()
    await askDelay(child)
    await wait(sampleMs)
    samples.push({
      minute: (performance.now() - startMs) / 60_000,
      brokerMib: await memoryMibOf(child.pid ?? -1),
      clientMib: process.memoryUsage.rss() / 1024 / 1024,
      brokerDescriptors: await descriptorsOf(child.pid ?? -1),
      clientDescriptors: await descriptorsOf(process.pid),
      brokerDelayMs: await askDelay(child),
      clientDelayMs: delay.percentile(99) / 1e6,
    })
  }
}

/** The p99 of the broker's loop since it was asked last. */
async function askDelay(broker: ChildProcess): Promise<number> {
  const answered = once(broker, 'message')
  broker.send('delay')
  const [ms] = (await answered) as [number]
  return ms
}

async function descriptorsOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length
}

function curves(): readonly (readonly Curve[])[] {
  const curve = (name: string, key: keyof Sample): Curve => ({
    name,
    points: samples.map((one) => [one.minute, one[key]]),
  })
  return [
    [curve('broker, MiB', 'brokerMib'), curve('clients, MiB', 'clientMib')],
    [
      curve('broker, descriptors', 'brokerDescriptors'),
      curve('clients, descriptors', 'clientDescriptors'),
    ],
    [
      curve('broker, loop looked at every 10 ms: p99 in ms', 'brokerDelayMs'),
      curve('clients: p99 in ms', 'clientDelayMs'),
    ],
  ]
}
