/**
 * The embedded broker against Apache Kafka, in one run: `node bench/broker-race.ts [rounds] [scale]`.
 *
 * Each is a process of its own with its data on the same disk, driven by one neutral client (`driver/`: librdkafka, and
 * bare sockets for small requests). The engines take turns within each round and the medians of the rounds count; memory
 * is touched before each measurement, for fresh page cache costs a virtual machine more than the write itself.
 *
 * @param rounds - default 3
 * @param scale - how much is written and read, 1 = 400 MB a row
 */
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openClient } from '../packages/millrace/src/client/index.ts'
import { apis, BatchBuilder, encodeRequest } from '../packages/millrace/src/protocol/index.ts'
import {
  buildDriver,
  cpuSecondsOf,
  drive,
  memoryMibOf,
  missingKafka,
  openEngine,
  type BenchEngine,
  type EngineName,
} from './engines.ts'
import { figure, report, rowOf, median, type Better } from './row.ts'

const [rounds = 3, scale = 1] = process.argv.slice(2).map(Number)
const partitions = 4
const MB = 1e6

interface Volume {
  readonly seconds: number
  readonly messages: number
  readonly bytes: number
}

interface Measure {
  readonly name: string
  readonly unit: string
  readonly goal: number
  readonly better: Better
}

const measures = {
  produce1M: { name: 'produce, 1 KB in 1 MB batches', unit: 'MB/s', goal: 0.7, better: 'more' },
  produce64K: { name: 'produce, 1 KB in 64 KB batches', unit: 'MB/s', goal: 1, better: 'more' },
  produce16K: { name: 'produce, 1 KB in 16 KB batches', unit: 'MB/s', goal: 1, better: 'more' },
  produce100: { name: 'produce, 100 B in 1 MB batches', unit: 'MB/s', goal: 1, better: 'more' },
  consume1K: { name: 'consume, 1 KB', unit: 'MB/s', goal: 0.45, better: 'more' },
  consume100: { name: 'consume, 100 B', unit: 'MB/s', goal: 1, better: 'more' },
  requests1: { name: 'small requests, 1 connection', unit: 'requests/s', goal: 3, better: 'more' },
  requests64: {
    name: 'small requests, 64 connections',
    unit: 'requests/s',
    goal: 1,
    better: 'more',
  },
  latency: { name: 'end to end at 1,000 a second, p99', unit: 'us', goal: 1, better: 'less' },
  ready: { name: 'time to ready', unit: 'ms', goal: 12, better: 'timesLess' },
  idle: { name: 'memory, idle', unit: 'MiB', goal: 5, better: 'timesLess' },
  loaded: { name: 'memory, under load', unit: 'MiB', goal: 5, better: 'timesLess' },
} as const satisfies Record<string, Measure>
type MeasureName = keyof typeof measures

/** Costs of ours that have a goal of their own. */
const costs: Record<'produceCpu' | 'consumeCpu', Record<EngineName, number[]>> = {
  produceCpu: { embedded: [], kafka: [] },
  consumeCpu: { embedded: [], kafka: [] },
}
const found = Object.fromEntries(
  Object.keys(measures).map((name) => [name, { embedded: [], kafka: [] }]),
) as unknown as Record<MeasureName, Record<EngineName, number[]>>

const missing = missingKafka ?? (await buildDriver())
if (missing !== undefined) console.log(`bench/broker-race did not run: ${missing}`)
else await race()

async function race(): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    // Whoever goes first in a round goes second in the next.
    const order: readonly EngineName[] =
      round % 2 === 0 ? ['embedded', 'kafka'] : ['kafka', 'embedded']
    for (const name of order) {
      await using engine = await openEngine(name)
      found.ready[name].push(engine.readyMs)
      await measure(engine)
      console.log(`round ${round + 1}: ${name} measured`)
    }
  }
  await report(
    (Object.keys(measures) as MeasureName[]).map((name) =>
      rowOf({
        ...measures[name],
        ours: found[name].embedded,
        peer: found[name].kafka,
        peerName: 'Apache Kafka',
      }),
    ),
  )
  for (const [name, both] of Object.entries(costs))
    console.log(
      `${name}: ${figure(median(both.embedded))} against ${figure(median(both.kafka))} CPU-s/GB of the broker`,
    )
}

async function measure(engine: BenchEngine): Promise<void> {
  const { name, address, pid } = engine
  const keep = (measured: MeasureName, value: number): void =>
    void found[measured][name].push(value)
  await using client = openClient({ brokers: [address], clientId: 'bench' })
  const topics = ['warm', 'k1', 'k64', 'k16', 'b100', 'small', 'latency']
  await client.admin.createTopics(topics.map((topic) => ({ name: topic, partitions })))
  keep('idle', await steadyMemoryMibOf(pid))

  await produce(address, 'warm', 1000, 1e6, 100 * MB * scale)
  await drive('consume', address, 'warm', partitions, Math.floor((50 * MB * scale) / 1000))

  const total = 400 * MB * scale
  const cpu = await cpuSecondsOf(pid)
  const k1 = await produce(address, 'k1', 1000, 1e6, total)
  costs.produceCpu[name].push(((await cpuSecondsOf(pid)) - cpu) / (k1.bytes / 1e9))
  keep('produce1M', k1.bytes / MB / k1.seconds)
  const k64 = await produce(address, 'k64', 1000, 65_536, total / 2)
  keep('produce64K', k64.bytes / MB / k64.seconds)
  const k16 = await produce(address, 'k16', 1000, 16_384, total / 4)
  keep('produce16K', k16.bytes / MB / k16.seconds)
  const b100 = await produce(address, 'b100', 100, 1e6, total / 4)
  keep('produce100', b100.bytes / MB / b100.seconds)
  keep('loaded', await memoryMibOf(pid))

  const before = await cpuSecondsOf(pid)
  const read = await drive<Volume>('consume', address, 'k1', partitions, k1.messages)
  costs.consumeCpu[name].push(((await cpuSecondsOf(pid)) - before) / (read.bytes / 1e9))
  keep('consume1K', read.bytes / MB / read.seconds)
  const small = await drive<Volume>('consume', address, 'b100', partitions, b100.messages)
  keep('consume100', small.bytes / MB / small.seconds)

  const [host = '', port = ''] = address.split(':')
  const frame = await smallRequest()
  for (const connections of [1, 64] as const) {
    const { answers, seconds } = await drive<{ answers: number; seconds: number }>(
      'requests',
      host,
      port,
      frame,
      connections,
      4,
    )
    keep(connections === 1 ? 'requests1' : 'requests64', answers / seconds)
  }
  await acknowledged(client)
  const { p99Us } = await drive<{ p99Us: number }>('latency', address, 'latency', 1000, 5)
  keep('latency', p99Us)
}

function produce(
  address: string,
  topic: string,
  size: number,
  batch: number,
  total: number,
): Promise<Volume> {
  touch()
  return drive<Volume>('produce', address, topic, partitions, size, batch, Math.floor(total))
}

/** A Produce of one record of 100 bytes. */
async function smallRequest(): Promise<string> {
  const builder = new BatchBuilder()
  builder.append({ key: null, value: Buffer.alloc(100, 120), timestamp: Date.now() })
  const records = builder.build({
    compression: 'none',
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  })
  const body = {
    transactionalId: null,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name: 'small', partitionData: [{ index: 0, records }] }],
  }
  const file = join(tmpdir(), `millrace-bench-${process.pid}.frame`)
  const header = { correlationId: 1, clientId: 'bench' }
  await writeFile(file, Buffer.concat(encodeRequest(apis.produce, 9, header, body)))
  return file
}

/** That small requests were answered says nothing: the log must hold them. */
async function acknowledged(client: ReturnType<typeof openClient>): Promise<void> {
  const [row] = await client.admin.listOffsets([{ topic: 'small', partition: 0, at: 'latest' }])
  if ((row?.offset ?? 0) < 1000)
    throw new Error(`small requests were refused: ${row?.offset} are in the log`)
}

/** Memory that was not touched lately costs the next who writes page cache into it. */
function touch(): void {
  for (let block = 0; block < 12; block++) Buffer.alloc(256 * 1024 * 1024, 1)
}

/** Memory once garbage and the work of a start have passed: three looks in a row that differ by less than 1 %. */
async function steadyMemoryMibOf(pid: number): Promise<number> {
  const looks: number[] = []
  for (;;) {
    await setTimeout(500)
    looks.push(await memoryMibOf(pid))
    const last = looks.slice(-3)
    const isSteady = last.length === 3 && Math.max(...last) - Math.min(...last) < last[0]! / 100
    // A process that never rests is measured as it is.
    if (isSteady || looks.length === 60) return looks.at(-1)!
  }
}
