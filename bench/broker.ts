/**
 * The embedded broker under Produce alone: `node bench/broker.ts [seconds a row]`, default 3, at most 1 GB a row.
 *
 * The broker is a process of its own with a data folder on the disk; the client writes the same encoded request over
 * and over to bare sockets and counts the answers, so the broker is what is measured. acks all, eight partitions, no
 * compression. There is no peer in the run: **absolute figures of this machine at this moment**. What holds best
 * from run to run is the broker's CPU per GB, or per request. At the end the log has to hold what was acknowledged.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '../packages/millrace/src/broker/index.ts'
import {
  apis,
  BatchBuilder,
  decodeResponse,
  encodeRequest,
} from '../packages/millrace/src/protocol/index.ts'

interface Row {
  readonly name: string
  /** Of the values in one batch. */
  readonly valueBytes: number
  readonly records: number
  readonly connections: number
  /** Requests under way per connection. */
  readonly inFlight: number
}

const rows: readonly Row[] = [
  { name: '1 MB batches', valueBytes: 1000, records: 1000, connections: 1, inFlight: 5 },
  { name: '1 MB batches', valueBytes: 1000, records: 1000, connections: 64, inFlight: 1 },
  { name: '100 B requests', valueBytes: 100, records: 1, connections: 1, inFlight: 1 },
  { name: '100 B requests', valueBytes: 100, records: 1, connections: 64, inFlight: 1 },
]
const partitions = 8
const mostBytes = 1e9
const produceVersion = 9

interface Usage {
  readonly cpuSeconds: number
  /** Records in the log, over all partitions. */
  readonly records: number
}

function requestFor(row: Row, partition: number): Buffer {
  const builder = new BatchBuilder()
  const value = Buffer.alloc(row.valueBytes, 120)
  for (let record = 0; record < row.records; record++)
    builder.append({ key: null, value, timestamp: Date.now() })
  const identity = { producerId: -1, producerEpoch: -1, baseSequence: -1 }
  const records = builder.build({ compression: 'none', ...identity })
  const topicData = [{ name: 'bench', partitionData: [{ index: partition, records }] }]
  const header = { correlationId: 1, clientId: 'bench' }
  const body = { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData }
  return Buffer.concat(encodeRequest(apis.produce, produceVersion, header, body))
}

/** Writes a request for every answer until `isOver`; gives the number of answers. */
function hammer(socket: Socket, request: Buffer, row: Row, isOver: () => boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    let [answered, underWay] = [0, 0]
    let unread: Buffer = Buffer.alloc(0)
    const send = (): void => {
      underWay++
      socket.write(request)
    }
    const onData = (chunk: Buffer): void => {
      unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk])
      while (unread.length >= 4 && unread.length >= 4 + unread.readInt32BE(0)) {
        const end = 4 + unread.readInt32BE(0)
        const frame = unread.subarray(4, end)
        unread = unread.subarray(end)
        answered++
        underWay--
        const { responses } = decodeResponse(apis.produce, produceVersion, frame)
        const code = responses[0]?.partitionResponses[0]?.errorCode
        if (code !== 0) reject(new Error(`the broker answered ${code}`))
        if (!isOver()) send()
        else if (underWay === 0) {
          socket.off('data', onData)
          resolve(answered)
        }
      }
    }
    socket.on('data', onData)
    socket.once('error', reject)
    for (let begun = 0; begun < row.inFlight; begun++) send()
  })
}

async function run(row: Row, seconds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const broker = fork(import.meta.filename, ['child', folder])
  const ask = async (): Promise<Usage> => {
    broker.send('usage')
    const [usage] = (await once(broker, 'message')) as [Usage]
    return usage
  }
  try {
    const [port] = (await once(broker, 'message')) as [number]
    const sockets = Array.from({ length: row.connections }, () =>
      connect({ port, host: '127.0.0.1', noDelay: true }),
    )
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const requests = Array.from({ length: partitions }, (_, index) => requestFor(row, index))
    const bytes = requests[0]?.length ?? 0
    const all = async (forMs: number, mostRequests: number): Promise<number> => {
      const endMs = performance.now() + forMs
      let left = mostRequests
      const isOver = (): boolean => --left < 0 || performance.now() > endMs
      const counts = await Promise.all(
        sockets.map((socket, index) =>
          hammer(socket, requests[index % partitions] as Buffer, row, isOver),
        ),
      )
      return counts.reduce((sum, count) => sum + count, 0)
    }
    const warm = await all(seconds * 300, mostBytes / 5 / bytes)
    const before = await ask()
    const startMs = performance.now()
    const answers = await all(seconds * 1000, mostBytes / bytes)
    const tookSeconds = (performance.now() - startMs) / 1000
    const after = await ask()
    for (const socket of sockets) socket.destroy()
    if (after.records !== (warm + answers) * row.records)
      throw new Error(`${warm + answers} requests were answered, the log has ${after.records}`)

    const cpuSeconds = after.cpuSeconds - before.cpuSeconds
    const isLarge = row.records > 1
    const gigabytes = (answers * bytes) / 1e9
    const rate = isLarge
      ? `${Math.round((gigabytes * 1000) / tookSeconds)} MB/s`
      : `${Math.round(answers / tookSeconds).toLocaleString('en')} requests/s`
    const cost = isLarge
      ? `${(cpuSeconds / gigabytes).toFixed(2)} CPU-s/GB`
      : `${((cpuSeconds * 1e6) / answers).toFixed(1)} CPU-us a request`
    const name = `${row.name}, ${row.connections} x ${row.inFlight} in flight`
    console.log(`${name.padEnd(36)}${rate.padStart(18)}${cost.padStart(26)}`)
  } finally {
    const gone = once(broker, 'exit')
    broker.disconnect()
    await gone
    await rm(folder, { recursive: true, force: true })
  }
}

async function child(folder: string): Promise<void> {
  const broker = await startBroker({ folder })
  await broker.store.createTopic({ name: 'bench', partitions })
  const logs = Array.from({ length: partitions }, (_, index) =>
    broker.store.partition('bench', index),
  )
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    const records = logs.reduce((sum, log) => sum + (log?.highWatermark ?? 0), 0)
    process.send?.({ cpuSeconds: (user + system) / 1e6, records } satisfies Usage)
  })
  process.send?.(broker.port)
  await once(process, 'disconnect')
  await broker.stop()
}

const [, , role = '3', folder = ''] = process.argv
if (role === 'child') await child(folder)
else for (const row of rows) await run(row, Number(role))
