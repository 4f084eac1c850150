/**
 * Restarts the gateway under load, then takes the broker away:
 *
 *     node test/e2e/gateway-restarts.ts [RESTARTS=5] [SECONDS_AWAY=30]
 *
 * Producers and consumers follow the rules of Rafka's clients: a connection that ends is opened anew, `CONS Server
 * shutdown` is tried again after a moment, for consumers alone. Each new gateway binds beside the old one (`reusePort`)
 * before that gets SIGTERM. Exits 1 when
 *
 *     - a connection was refused, or a client saw an error that it may not see
 *     - a gateway did not end with exit code 0 and nothing unflushed
 *     - a message that was accepted (`:1`) is not in the log, or a durable one is there twice
 *     - a message was handled twice after it had been acknowledged, or was never handled
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { openClient } from '../../packages/millrace/src/client/index.ts'
import { dial, type RawConnection } from '../harness/gateway.ts'
import { readLog } from '../harness/read-log.ts'
import { startBrokerProcess } from '../harness/start-broker-process.ts'
import { until } from '../harness/until.ts'

const [restarts = 5, secondsAway = 30] = process.argv.slice(2).map(Number)
const partitions = 4
const topic = 'orders'

await using broker = await startBrokerProcess()
const brokers = broker.brokers
await using client = openClient({ brokers, clientId: 'judge' })
await client.admin.createTopics([{ name: topic, partitions }])

const port = await freePort()
let gateway = await startProgram()
const faults: string[] = []
/** Producers stop; then, when everything was read, consumers do. */
const phase = { isOver: false, isRead: false }
/** A broker that dies takes acknowledgements with it that were not committed yet: at least once. */
let mayRepeat = false

interface Told {
  readonly accepted: Set<string>
  /** Sent and not answered: may be in the log. */
  readonly unknown: Set<string>
}

/** Produces until it is over. A durable one waits for each answer, the other pipelines ten. */
async function produce(name: string, isDurable: boolean): Promise<Told> {
  const told: Told = { accepted: new Set(), unknown: new Set() }
  let next = 0
  while (!phase.isOver) {
    const connection = await open()
    try {
      if (isDurable) await connection.command('CLIENT', 'DURABLE', 'ON')
      while (!phase.isOver) {
        const values = Array.from({ length: isDurable ? 1 : 10 }, () => `${name}-${next++}`)
        for (const value of values) {
          told.unknown.add(value)
          connection.write(command('RPUSHX', `topics:${topic}:${name}`, value))
        }
        for (const value of values) {
          const reply = await connection.reply(90_000)
          if (reply === ':1\r\n') {
            told.accepted.add(value)
            told.unknown.delete(value)
          } else if (!reply.startsWith('-PROD Local: ')) {
            faults.push(`${name}: ${reply.trim()}`)
          }
        }
        await wait(2)
      }
    } catch {
      // Its end was in the middle of a conversation: open another.
    }
    connection.close()
  }
  return told
}

const handled = new Map<string, number>()
const doneOnce = new Set<string>()

async function consume(name: string): Promise<void> {
  while (!phase.isRead) {
    const connection = await open()
    try {
      const named = await connection.command('CLIENT', 'SETNAME', `readers:${name}`)
      if (named !== '$2\r\nOK\r\n') {
        checkShutdown(name, named)
        connection.close()
        await wait(50)
        continue
      }
      while (!phase.isRead) {
        connection.write(command('BLPOP', `topics:${topic}:{"auto.offset.reset":"earliest"}`, '1'))
        const reply = await connection.reply(20_000)
        if (reply === '*-1\r\n') continue
        if (reply.startsWith('-')) {
          checkShutdown(name, reply)
          break
        }
        const lines = reply.split('\r\n')
        const [partition = '', offset = '', value = ''] = [
          lines[7]?.slice(1),
          lines[10]?.slice(1),
          lines[14],
        ]
        const place = `${partition}:${offset}`
        if (doneOnce.has(place) && !mayRepeat)
          faults.push(`${name}: ${value} came again after it was acknowledged`)
        handled.set(value, (handled.get(value) ?? 0) + 1)
        const answer = await connection.command('RPUSH', 'acks', `${topic}:${place}`)
        if (answer === ':1\r\n') doneOnce.add(place)
        else if (!answer.startsWith('-CONS Local: Erroneous state')) checkShutdown(name, answer)
      }
    } catch {
      // As above.
    }
    connection.close()
  }
}

/** The one error that consumers try again after, and a broker that is away. */
function checkShutdown(name: string, reply: string): void {
  if (reply === '-CONS Server shutdown\r\n' || reply.startsWith('-CONS Poll ')) return
  // The predecessor of this connection is still giving back what it held, beyond the time that a takeover waits.
  if (reply.endsWith('is already taken\r\n')) return
  faults.push(`${name}: ${reply.trim()}`)
}

const producers = ['a', 'b'].map((name) => produce(name, false))
const durable = ['c', 'd'].map((name) => produce(name, true))
const consumers = ['x', 'y'].map((name) => consume(name))

for (let restart = 0; restart < restarts; restart++) {
  await wait(1000)
  const old = gateway
  gateway = await startProgram()
  await stopProgram(old)
}
console.log(
  `${restarts} restarts: ${handled.size} messages handled so far, ${faults.length} faults`,
)

if (secondsAway > 0) {
  mayRepeat = true
  await broker.kill()
  await wait(secondsAway * 1000)
  await broker.start()
  await wait(2000)
}
phase.isOver = true
const told = await Promise.all(producers)
const toldSurely = await Promise.all(durable)

// A gateway that ends delivers what it has accepted first.
const last = gateway
gateway = await startProgram()
await stopProgram(last)
const inLog: string[] = []
for (let partition = 0; partition < partitions; partition++) {
  const { records } = await readLog(client, topic, partition)
  for (const { value } of records) inLog.push(String(value))
}
const distinct = new Set(inLog)
await until('everything in the log was handled', () => handled.size >= distinct.size, {
  deadline: 60_000,
  lastSeen: () => ({ handled: handled.size, inLog: distinct.size }),
})
phase.isRead = true
await Promise.all(consumers)
await stopProgram(gateway)
let accepted = 0
for (const one of [...told, ...toldSurely]) {
  accepted += one.accepted.size
  for (const value of one.accepted)
    if (!distinct.has(value)) faults.push(`${value} was accepted and is not in the log`)
}
if (inLog.length !== distinct.size)
  faults.push(`${inLog.length - distinct.size} messages are in the log more than once`)
const maybe = new Set([...told, ...toldSurely].flatMap(({ unknown }) => [...unknown]))
const strangers = [...distinct].filter(
  (value) => !maybe.has(value) && ![...told, ...toldSurely].some((one) => one.accepted.has(value)),
)
if (strangers.length > 0) faults.push(`nobody sent ${strangers.slice(0, 5).join(', ')}`)
console.log(
  `${accepted} accepted, ${inLog.length} in the log, ${maybe.size} without an answer, ${handled.size} handled, ${doneOnce.size} acknowledged; ${faults.length} faults`,
)
for (const fault of faults.slice(0, 20)) console.log(fault)
if (faults.length > 0 || accepted === 0 || handled.size === 0) process.exitCode = 1

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

async function open(): Promise<RawConnection> {
  try {
    return await dial(port)
  } catch (error) {
    faults.push(`a connection was refused: ${String(error)}`)
    await wait(100)
    return open()
  }
}

async function startProgram(): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'gateway-program.ts'), brokers[0] ?? '', String(port)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    if (line.startsWith('stopped ') && line !== 'stopped 0') faults.push(`a gateway ${line}`)
  })
  await once(lines, 'line')
  return child
}

async function stopProgram(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = (await exited) as [number | null]
  if (code !== 0) faults.push(`a gateway ended with ${code}`)
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
