/**
 * Kills the broker again and again under three clients, and lets the judge of `history.ts` look at what they saw.
 *
 *     node test/chaos/kills.ts [KILLS=30]
 *
 * Millrace's client, kafkajs and librdkafka (where it is installed) each write idempotently to every partition, and read
 * as a group of their own. Besides the kills (`kill -9`, then a start on the same folder) the broker is frozen for up to
 * 3 s, its disk is full for up to 2 s (where a small one can be mounted), connections are cut, and members leave and come
 * again. The seed is printed and may be given as CHAOS_SEED.
 * At the end every group must have read everything; exits 1 when it has not, or when an anomaly was found.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { openClient, type Client } from '../../packages/millrace/src/client/index.ts'
import { missingTool } from '../harness/tool.ts'
import { readLog } from '../harness/read-log.ts'
import { createTopics } from '../harness/topics.ts'
import { until } from '../harness/until.ts'
import { openGate } from './gate.ts'
import { checkHistory, type HistoryEvent } from './history.ts'
import { seeded } from './seeded.ts'
import { openSmallDisk } from './small-disk.ts'

const kills = Number(process.argv[2] ?? 30)
const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000)
const random = seeded(seed)
const topic = 'chaos'
const partitions = 3
const drainMs = 120_000

const python = '/usr/bin/python3'
const missingPython = await missingTool(
  python,
  ['-c', 'import confluent_kafka'],
  'python3-confluent-kafka',
)
const programs: readonly (readonly [name: string, command: string, file: string])[] = [
  ['millrace', process.execPath, 'millrace.ts'],
  ['kafkajs', process.execPath, 'kafkajs.ts'],
  ...(missingPython === undefined ? ([['librdkafka', python, 'librdkafka.py']] as const) : []),
]
if (missingPython !== undefined) console.log(`without librdkafka: ${missingPython}`)
console.log(`${kills} kills, ${programs.length} clients, seed ${seed}`)

const disk = await openSmallDisk(256 + kills * 8)
if (typeof disk === 'string') console.log(`without full disks: ${disk}`)
await using ownDisk = typeof disk === 'string' ? undefined : disk
const folder = ownDisk?.folder ?? (await mkdtemp(join(tmpdir(), 'millrace-chaos-')))
await using gate = await openGate()
let broker = await startBroker(0)
const history: HistoryEvent[] = []
const quiet = new Set<string>()
let troubles = 0

await using client = openClient({ brokers: [`127.0.0.1:${gate.port}`], clientId: 'judge' })
await createTopics(client, { [topic]: { partitions } })
const clients = programs.map(([name, command, file]) => startClient(name, command, file))

const did = { kills: 0, freezes: 0, cuts: 0, rejoins: 0, fullDisks: 0 }
while (did.kills < kills) {
  await wait(200 + random() * 1000)
  const dice = random()
  if (dice < 0.55) {
    await kill(broker)
    // Clients try in vain for a moment.
    await wait(random() * 300)
    broker = await startBroker(broker.port)
    did.kills++
  } else if (dice < 0.7) {
    broker.process.kill('SIGSTOP')
    await wait(random() ** 3 * 3000)
    broker.process.kill('SIGCONT')
    did.freezes++
  } else if (dice < 0.82) {
    did.cuts += gate.cut(() => random() < 0.5)
  } else if (dice < 0.9 && ownDisk !== undefined) {
    await ownDisk.fill()
    await wait(random() ** 2 * 2000)
    await ownDisk.free()
    did.fullDisks++
  } else {
    clients[Math.floor(random() * clients.length)]?.stdin?.write('rejoin\n')
    did.rejoins++
  }
}
for (const one of clients) one.stdin?.write('quiet\n')
await until('every send has its verdict', () => quiet.size === clients.length, {
  deadline: drainMs,
  lastSeen: () => [...quiet],
})
const ends = await logEnds(client)
await until('every group has read everything', async () => isAllRead(await committedOf(client)), {
  deadline: drainMs,
  lastSeen: () => ({ ends: [...ends] }),
})
for (const one of clients) one.stdin?.write('end\n')
await Promise.all(clients.map(async (one) => one.exitCode ?? (await once(one, 'exit'))))

const logs = new Map<number, { readonly offset: number; readonly value: string }[]>()
for (let partition = 0; partition < partitions; partition++) {
  const { records } = await readLog(client, topic, partition)
  logs.set(
    partition,
    records.map(({ offset, value }) => ({ offset, value: String(value) })),
  )
}
const anomalies = checkHistory(history, { logs, committed: await committedOf(client) })
const count = (e: HistoryEvent['e']): number => history.filter((event) => event.e === e).length
console.log(
  `${did.kills} kills, ${did.freezes} freezes, ${did.cuts} connections cut, ${did.fullDisks} times a full disk, ${did.rejoins} members came again: ` +
    `${count('send')} sends, ${count('sent')} acknowledged, ${[...ends.values()].reduce((sum, end) => sum + end, 0)} in the log, ` +
    `${count('poll')} polls in ${count('assigned')} tenures, ${count('committed')} commits, ${troubles} errors that clients told; ` +
    `${anomalies.length} anomalies`,
)
for (const { kind, about } of anomalies.slice(0, 20)) console.log(`${kind}: ${about}`)
if (anomalies.length > 0) process.exitCode = 1
await kill(broker)
await rm(folder, { recursive: true, force: true })

interface BrokerProcess {
  readonly process: ChildProcess
  readonly port: number
}

async function startBroker(port: number): Promise<BrokerProcess> {
  const own = port === 0 ? await freePort() : port
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'broker.ts'), folder, String(own), String(gate.port)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the broker ended with ${String(code)} at its start`)
    }),
  ])
  gate.target = own
  return { process: child, port: own }
}

async function kill({ process: child }: BrokerProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** One that nobody listens to: the broker comes again on it. */
async function freePort(): Promise<number> {
  await using other = await openGate()
  return other.port
}

function startClient(name: string, command: string, file: string): ChildProcess {
  const child = spawn(
    command,
    [
      join(import.meta.dirname, 'clients', file),
      name,
      `127.0.0.1:${gate.port}`,
      topic,
      String(partitions),
      `group-${name}`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as
      | HistoryEvent
      | { readonly e: 'quiet' }
      | { readonly e: 'trouble' }
    if (event.e === 'quiet') quiet.add(name)
    else if (event.e === 'trouble') troubles++
    else history.push(event)
  })
  child.once('exit', (code) => {
    if (code !== 0) console.log(`${name} ended with ${String(code)}`)
  })
  return child
}

async function logEnds(by: Client): Promise<ReadonlyMap<number, number>> {
  const rows = await by.admin.listOffsets(
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition, at: 'latest' })),
  )
  return new Map(rows.map(({ partition, offset }) => [partition, offset ?? 0]))
}

async function committedOf(by: Client): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
  const groups = new Map<string, ReadonlyMap<number, number>>()
  for (const [name] of programs) {
    const rows = await by.admin.committedOffsets(`group-${name}`)
    groups.set(`group-${name}`, new Map(rows.map(({ partition, offset }) => [partition, offset])))
  }
  return groups
}

function isAllRead(committed: ReadonlyMap<string, ReadonlyMap<number, number>>): boolean {
  return [...committed.values()].every((group) =>
    [...ends].every(([partition, end]) => (group.get(partition) ?? -1) >= end),
  )
}
