/**
 * The outbox's relay from Postgres over Kafka's protocol to the embedded broker: `node bench/outbox.ts [rows]`, default
 * 100,000.
 *
 * Broker, relay and Postgres are processes of their own; rows of 200 bytes with 1,000 keys, rounds of 500. First a backlog is
 * relayed, and the relay's own CPU told; then 200 transactions a second are made for some seconds, and it is measured how long
 * after its commit each message is in the hands of a reader. There is no peer in the run: **absolute figures of this machine
 * at this moment**.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'pg'

import { defineConfig, defineTopic, startRelay } from '../packages/millrace/src/app/index.ts'
import { startBroker } from '../packages/millrace/src/broker/index.ts'
import { openClient } from '../packages/millrace/src/client/index.ts'
import { sqlOutbox, transaction } from '../packages/millrace/src/postgres/index.ts'
import { noPostgres, startPostgres } from '../test/harness/postgres.ts'

const orders = defineTopic('orders', { partitions: 8 })
const latencySeconds = 5
const perSecond = 200

interface Figures {
  readonly seconds: number
  readonly cpuMicros: number
  readonly peakMegabytes: number
}

async function child(role: string, argument: string): Promise<void> {
  if (role === 'broker') {
    const broker = await startBroker({ memory: true, options: { defaultPartitions: 8 } })
    process.send?.(broker.address)
    await once(process, 'disconnect')
    process.exit()
  }
  const { address, connection } = JSON.parse(argument) as { address: string; connection: object }
  const pool = new Pool(connection)
  const outbox = sqlOutbox(pool)
  const started = performance.now()
  const cpu = process.cpuUsage()
  const relay = await startRelay(outbox.relay(), defineConfig({ brokers: [address] }))
  process.on('message', (word) => {
    if (word !== 'figures') return
    const { user, system } = process.cpuUsage(cpu)
    const peakMegabytes = process.resourceUsage().maxRSS / 1024
    const seconds = (performance.now() - started) / 1000
    process.send?.({ seconds, cpuMicros: user + system, peakMegabytes } satisfies Figures)
  })
  await once(process, 'disconnect')
  await relay.stop({ timeout: '1s' })
  process.exit()
}

function startChild(...args: readonly string[]): ReturnType<typeof fork> {
  return fork(import.meta.filename, ['child', ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

async function bench(rows: number): Promise<void> {
  if (noPostgres !== undefined) throw new Error(noPostgres)
  await using server = await startPostgres()
  const { pool, connection } = server
  const outbox = sqlOutbox(pool)
  await outbox.createTables()
  const broker = startChild('broker', '')
  const [address] = (await once(broker, 'message')) as [string]

  await pool.query(
    `insert into millrace_outbox (shard, id, topic, key, value, headers, timestamp_ms)
     select n % 8, gen_random_uuid(), 'orders', convert_to('key-' || n % 1000, 'UTF8'),
       convert_to(repeat('x', 200), 'UTF8'), '\\x00000000', 1 from generate_series(1, $1::int) n`,
    [rows],
  )
  await pool.query('vacuum analyze millrace_outbox')
  const relay = startChild('relay', JSON.stringify({ address, connection }))
  while ((await pool.query('select 1 from millrace_outbox limit 1')).rowCount === 1) await wait(20)
  relay.send('figures')
  const [{ seconds, cpuMicros, peakMegabytes }] = (await once(relay, 'message')) as [Figures]
  const rate = Math.round(rows / seconds).toLocaleString('en')
  const micros = (cpuMicros / rows).toFixed(1)
  console.log(
    `${rows.toLocaleString('en')} rows: ${rate} rows/s, ${micros} us of CPU a row, ${Math.round(peakMegabytes)} MB at most`,
  )

  const client = openClient({ brokers: [address] })
  const committed = new Map<string, number>()
  const delays: number[] = []
  const reader = client.reader({ topics: [orders.name], from: 'latest', to: 'forever' })
  await reader.ready()
  const reading = (async (): Promise<void> => {
    for await (const { value } of reader) {
      const at = committed.get(String(value))
      if (at !== undefined) delays.push(performance.now() - at)
    }
  })()
  for (let n = 0; n < latencySeconds * perSecond; n++) {
    const value = `order ${n}`
    void transaction(pool, async (tx) => {
      await outbox.send(tx, orders, { key: `key-${n % 1000}`, value })
    }).then(() => committed.set(JSON.stringify(value), performance.now()))
    await wait(1000 / perSecond)
  }
  await wait(1500)
  // What waits for more ends with an error.
  const ended = reading.catch(() => undefined)
  await reader.close()
  await ended
  delays.sort((left, right) => left - right)
  const percentile = (part: number): string =>
    (delays[Math.floor(delays.length * part)] ?? Number.NaN).toFixed(1)
  console.log(
    `${delays.length} messages at ${perSecond}/s: from commit to reader p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms`,
  )
  await client.close()
  relay.disconnect()
  await once(relay, 'exit')
  broker.disconnect()
}

if (process.argv[2] === 'child') await child(process.argv[3] ?? '', process.argv[4] ?? '')
else await bench(Number(process.argv[2] ?? 100_000))
