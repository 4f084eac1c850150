/**
 * The gateway under load: `node bench/gateway.ts [--rounds N]`, on the compiled package.
 *
 * Broker, gateway and, where it is installed, redis-server are processes of their own; this one sends raw RESP. A run
 * counts only if the topic then holds exactly what was sent. redis-server's RPUSH is what the protocol itself costs:
 * it keeps a list in memory, where the gateway writes to a durable log behind it.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { openClient } from '../packages/millrace/src/client/index.ts'
import { missingTool } from '../test/harness/tool.ts'
import { cpuSecondsOf, memoryMibOf, openEngine } from './engines.ts'
import { report, rowOf, type Row } from './row.ts'

const at = process.argv.indexOf('--rounds')
const rounds = Number(at < 0 ? 3 : process.argv[at + 1])
const value = 'x'.repeat(100)
const total = 200_000
const window = 2000
const idleConnections = 5000

/** A connection that counts replies by their first byte, at the start of each line. */
class Load {
  readonly socket: Socket
  replies = 0
  errors = 0
  #isLineStart = true
  #wanted = 0
  #done: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  /** Resolves when so many replies have come in all. */
  until(count: number): Promise<void> {
    this.#wanted = count
    return this.replies >= count
      ? Promise.resolve()
      : new Promise((resolve) => (this.#done = resolve))
  }

  /** Simple replies alone: `:1`, `+OK`, errors and bulks that are looked at as lines. */
  #read(chunk: Buffer): void {
    for (const byte of chunk) {
      if (this.#isLineStart) {
        if (byte === 0x3a || byte === 0x2b) this.replies++
        else if (byte === 0x2d) {
          this.replies++
          this.errors++
        } else if (byte === 0x24) this.replies++
        this.#isLineStart = false
      }
      if (byte === 0x0a) this.#isLineStart = true
    }
    if (this.replies >= this.#wanted) this.#done?.()
  }
}

/** One reply after the other, whole, for what is asked in turns. */
class Dialogue {
  readonly socket: Socket
  #bytes: Buffer = Buffer.alloc(0)
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
      this.#wake?.()
    })
  }

  async ask(...words: readonly string[]): Promise<string> {
    this.socket.write(encode(words))
    for (;;) {
      const end = replyEnd(this.#bytes, 0)
      if (end >= 0) {
        const reply = this.#bytes.toString('latin1', 0, end)
        this.#bytes = this.#bytes.subarray(end)
        return reply
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

function replyEnd(bytes: Buffer, from: number): number {
  const line = bytes.indexOf('\r\n', from)
  if (line < 0) return -1
  const count = Number(bytes.toString('latin1', from + 1, line))
  const type = bytes[from]
  if (type === 0x24) {
    if (count < 0) return line + 2
    return bytes.length >= line + 4 + count ? line + 4 + count : -1
  }
  if (type !== 0x2a) return line + 2
  let end = line + 2
  for (let item = 0; item < count && end >= 0; item++) end = replyEnd(bytes, end)
  return end
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Sends the command `count` times over the connections, a window at a time, and gives the rate of replies. */
async function pipelined(
  port: number,
  connections: number,
  words: readonly string[],
  count = total,
): Promise<number> {
  const each = Math.floor(count / connections)
  const size = Math.min(window, each)
  const block = Buffer.from(encode(words).repeat(size))
  const loads = await Promise.all(
    Array.from({ length: connections }, async () => new Load(await dial(port))),
  )
  const startMs = performance.now()
  await Promise.all(
    loads.map(async (load) => {
      for (let sent = 0; sent < each; sent += size) {
        load.socket.write(block)
        await load.until(sent + size)
      }
    }),
  )
  const seconds = (performance.now() - startMs) / 1000
  for (const load of loads) {
    if (load.errors > 0) throw new Error(`${load.errors} commands were refused`)
    load.socket.destroy()
  }
  return (Math.ceil(each / size) * size * connections) / seconds
}

const found = new Map<string, { ours: number[]; peer: number[] }>()
function note(name: string, side: 'ours' | 'peer', figure: number): void {
  let both = found.get(name)
  if (both === undefined) found.set(name, (both = { ours: [], peer: [] }))
  both[side].push(figure)
}

const redis = await missingTool('redis-server', ['--version'], 'apt-get install redis-server')
for (let round = 0; round < rounds; round++) {
  await using engine = await openEngine('embedded')
  await using client = openClient({ brokers: [engine.address], clientId: 'bench' })
  await client.admin.createTopics(
    ['one', 'many', 'durable', 'stream', 'pairs', 'group', 'idle'].map((name) => ({
      name,
      partitions: 4,
    })),
  )
  const gateway = fork(join(import.meta.dirname, 'gateway-child.js'), [engine.address])
  const [port] = (await once(gateway, 'message')) as [number]
  try {
    await measure(port, gateway, client)
  } finally {
    const exited = once(gateway, 'exit')
    gateway.disconnect()
    await exited
  }
  if (redis === undefined) await measureRedis()
  console.log(`round ${round + 1} measured`)
}
await report(rows())

async function measure(
  port: number,
  gateway: ChildProcess,
  client: ReturnType<typeof openClient>,
): Promise<void> {
  const talk = new Dialogue(await dial(port))
  await pipelined(port, 1, ['RPUSHX', 'topics:one', value], 50_000)
  note('RPUSHX, 1 connection', 'ours', await pipelined(port, 1, ['RPUSHX', 'topics:one', value]))
  note(
    'RPUSHX, 64 connections',
    'ours',
    await pipelined(port, 64, ['RPUSHX', 'topics:many', value]),
  )
  await until(async () => (await held(client, 'one')) >= total + 50_000)
  const durable = await pipelinedDurable(port)
  note('durable RPUSHX', 'ours', durable)
  const xadd = await pipelined(port, 1, ['XADD', 'stream', '*', '@value', value], total / 2)
  note('XADD', 'ours', xadd)
  note('XADD over durable RPUSHX', 'ours', xadd)
  note('XADD over durable RPUSHX', 'peer', durable)

  await pipelined(port, 1, ['RPUSHX', 'topics:pairs', value], 20_000)
  const consumer = new Dialogue(await dial(port))
  await consumer.ask('CLIENT', 'SETNAME', 'pairs:one')
  const key = 'topics:pairs:{"auto.offset.reset":"earliest"}'
  const take = async (): Promise<void> => {
    const reply = (await consumer.ask('BLPOP', key, '5')).split('\r\n')
    const [partition, offset] = [reply[7]?.slice(1), reply[10]?.slice(1)]
    const answer = await consumer.ask('RPUSH', 'acks', `pairs:${partition}:${offset}`)
    if (answer !== ':1\r\n') throw new Error(`${answer} to ${reply.join(' ')}`)
  }
  for (let pair = 0; pair < 2000; pair++) await take()
  let startMs = performance.now()
  for (let pair = 0; pair < 10_000; pair++) await take()
  const pairs = 10_000 / ((performance.now() - startMs) / 1000)
  note('BLPOP and ack, in turns', 'ours', pairs)

  await pipelined(port, 1, ['RPUSHX', 'topics:group', value], 200_000)
  await talk.ask('XGROUP', 'CREATE', 'group', 'readers', '0')
  const read = async (): Promise<number> => {
    const reply = await talk.ask(
      ...'XREADGROUP GROUP readers one COUNT 100 BLOCK 5000 STREAMS group >'.split(' '),
    )
    const ids = [...reply.matchAll(/\r\n(\d+-\d+)\r\n/g)].map(([, id = '']) => id)
    if (ids.length > 0) await talk.ask('XACK', 'group', 'readers', ...ids)
    return ids.length
  }
  while ((await read()) === 0);
  startMs = performance.now()
  let entries = 0
  while (entries < 100_000) entries += await read()
  const streamed = entries / ((performance.now() - startMs) / 1000)
  note('XREADGROUP COUNT 100 and XACK over BLPOP and ack', 'ours', streamed)
  note('XREADGROUP COUNT 100 and XACK over BLPOP and ack', 'peer', pairs)

  const pid = gateway.pid ?? -1
  const before = await memoryMibOf(pid)
  const idle = await Promise.all(Array.from({ length: idleConnections }, async () => dial(port)))
  for (const socket of idle) socket.write(encode(['RPUSHX', 'topics:idle', value]))
  await until(async () => (await held(client, 'idle')) >= idleConnections)
  await wait(1000)
  note(
    'memory of an idle connection',
    'ours',
    (((await memoryMibOf(pid)) - before) * 1024) / idleConnections,
  )
  for (const socket of idle) socket.destroy()

  const blocked = await Promise.all(
    Array.from({ length: 1000 }, async (_, index) => {
      const one = new Dialogue(await dial(port))
      await one.ask('CLIENT', 'SETNAME', `blocked:${index}`)
      void one.ask('BLPOP', 'topics:idle', '60')
      return one
    }),
  )
  // The group comes to rest.
  await wait(8000)
  const cpu = await cpuSecondsOf(pid)
  await wait(5000)
  note('1,000 blocked BLPOPs', 'ours', (((await cpuSecondsOf(pid)) - cpu) / 5) * 100)
  for (const { socket } of blocked) socket.destroy()
}

async function pipelinedDurable(port: number): Promise<number> {
  const socket = await dial(port)
  const load = new Load(socket)
  socket.write(encode(['CLIENT', 'DURABLE', 'ON']))
  await load.until(1)
  const block = Buffer.from(encode(['RPUSHX', 'topics:durable', value]).repeat(window))
  const startMs = performance.now()
  for (let sent = 0; sent < total / 2; sent += window) {
    socket.write(block)
    await load.until(1 + sent + window)
  }
  const seconds = (performance.now() - startMs) / 1000
  socket.destroy()
  return total / 2 / seconds
}

async function measureRedis(): Promise<void> {
  const port = 20_000 + (process.pid % 20_000)
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--save', '', '--appendonly', 'no'],
    {
      stdio: 'ignore',
    },
  )
  try {
    await until(async () => {
      try {
        ;(await dial(port)).destroy()
        return true
      } catch {
        return false
      }
    })
    await pipelined(port, 1, ['RPUSH', 'one', value], 50_000)
    note('RPUSHX, 1 connection', 'peer', await pipelined(port, 1, ['RPUSH', 'one', value]))
    note('RPUSHX, 64 connections', 'peer', await pipelined(port, 64, ['RPUSH', 'many', value]))
  } finally {
    const exited = once(server, 'exit')
    server.kill()
    await exited
  }
}

async function held(client: ReturnType<typeof openClient>, topic: string): Promise<number> {
  const ends = await client.admin.listOffsets(
    [0, 1, 2, 3].map((partition) => ({ topic, partition, at: 'latest' as const })),
  )
  return ends.reduce((sum, { offset }) => sum + (offset ?? 0), 0)
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('it did not come about in 30 s')
    await wait(10)
  }
}

function rows(): Row[] {
  const none = [Number.NaN]
  const of = (
    name: string,
    unit: string,
    peerName: string,
    goal: number,
    better: Row['better'],
    peer?: readonly number[],
  ): Row => {
    const both = found.get(name) ?? { ours: none, peer: none }
    return rowOf({ name, unit, ours: both.ours, peer: peer ?? both.peer, peerName, goal, better })
  }
  return [
    ...(redis === undefined
      ? [
          of('RPUSHX, 1 connection', 'commands/s', 'redis-server RPUSH', 0.2, 'more'),
          of('RPUSHX, 64 connections', 'commands/s', 'redis-server RPUSH', 0.2, 'more'),
        ]
      : []),
    of('XADD over durable RPUSHX', 'commands/s', 'durable RPUSHX', 0.8, 'more'),
    of(
      'XREADGROUP COUNT 100 and XACK over BLPOP and ack',
      'messages/s',
      'BLPOP and ack',
      10,
      'more',
    ),
    of('memory of an idle connection', 'KiB', 'the bar', 1, 'less', [30]),
    of('1,000 blocked BLPOPs', '% of a core', 'the bar', 1, 'less', [2]),
  ]
}
