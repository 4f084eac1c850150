import { fork, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { openClient } from '../packages/millrace/src/client/index.ts'
import { openEngine, type BenchEngine, type EngineName } from './engines.ts'
import { figure, median, report, rowOf, type Row } from './row.ts'

/** What one client needed in one pass. */
export interface Figures {
  readonly cpuMicros: number
  readonly perSecond: number
}

export interface Place {
  readonly address: string
  readonly topic: string
}

/** Ours against the best of the others, in each of the two figures. */
export interface Goal {
  /** For the row's name: `consume, batch`. */
  readonly name: string
  readonly ours: string
  readonly peers: readonly string[]
  /** Least ratio of rates. */
  readonly rate?: number
  /** Greatest ratio of CPU per message. */
  readonly cpu?: number
  /** Most microseconds of CPU a message that ours may cost on top of the peer. */
  readonly overMicros?: number
}

export interface Race {
  /** The file that called: it is started again for each racer. */
  readonly file: string
  readonly title: string
  readonly racers: readonly string[]
  readonly goals: readonly Goal[]
  readonly partitions: number
  /** What a racer's own process does; its result comes back. */
  readonly run: (racer: string, place: Place) => Promise<Figures>
  /** Before the racers of a round start. */
  readonly prepare?: (place: Place) => Promise<void>
}

/** `node bench/X.ts [--rounds N] [--engine embedded|kafka]`; default one round on the embedded broker. */
export async function race(given: Race): Promise<void> {
  const [role, racer = '', address = '', topic = ''] = process.argv.slice(2)
  if (role === 'racer') {
    const result = await given.run(racer, { address, topic })
    process.send?.(result, () => process.exit())
    return
  }
  const rounds = Number(optionOf('--rounds') ?? 1)
  const engineName = (optionOf('--engine') ?? 'embedded') as EngineName
  const found = new Map<string, Figures[]>(given.racers.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    // Nobody always goes first, when caches are cold, or last.
    const order = [...given.racers.slice(round), ...given.racers.slice(0, round)]
    for (const name of order) {
      // A broker for each: none inherits the other's log or groups.
      await using engine = await openEngine(engineName)
      const figures = await runRacer(given, name, engine)
      if (figures !== undefined) found.get(name)?.push(figures)
      else {
        console.log(`${name} failed`)
        process.exitCode = 1
      }
    }
  }
  const onEngine = engineName === 'kafka' ? ', on Apache Kafka' : ''
  show(`${given.title}${onEngine}`, found)
  await report(given.goals.flatMap((goal) => rowsOf(goal, onEngine, found)))
}

async function runRacer(
  { file, partitions, prepare }: Race,
  name: string,
  engine: BenchEngine,
): Promise<Figures | undefined> {
  const place = { address: engine.address, topic: `bench-${randomUUID()}` }
  {
    await using client = openClient({ brokers: [place.address], clientId: 'bench-set-up' })
    await client.admin.createTopics([{ name: place.topic, partitions }])
  }
  await prepare?.(place)
  const child: ChildProcess = fork(file, ['racer', name, place.address, place.topic], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const [result] = (await Promise.race([once(child, 'message'), exited])) as [Figures | number]
  await exited
  return typeof result === 'object' && result !== null ? result : undefined
}

function rowsOf(
  goal: Goal,
  onEngine: string,
  found: ReadonlyMap<string, readonly Figures[]>,
): readonly Row[] {
  const ours = found.get(goal.ours) ?? []
  const peers = goal.peers.filter((name) => (found.get(name) ?? []).length > 0)
  if (ours.length === 0 || peers.length === 0) return []
  const of = (name: string, key: keyof Figures): number[] =>
    (found.get(name) ?? []).map((one) => one[key])
  const best = (key: keyof Figures, sign: 1 | -1): string =>
    peers.toSorted((left, right) => sign * (median(of(left, key)) - median(of(right, key))))[0] ??
    ''
  const fastest = best('perSecond', -1)
  const leanest = best('cpuMicros', 1)
  return [
    ...(goal.rate === undefined
      ? []
      : [
          rowOf({
            name: `${goal.name}${onEngine}: rate`,
            unit: 'messages/s',
            ours: of(goal.ours, 'perSecond'),
            peer: of(fastest, 'perSecond'),
            peerName: fastest,
            goal: goal.rate,
            better: 'more',
          }),
        ]),
    ...(goal.overMicros === undefined
      ? []
      : [
          rowOf({
            name: `${goal.name}${onEngine}: CPU on top`,
            unit: 'us a message',
            ours: [median(of(goal.ours, 'cpuMicros')) - median(of(leanest, 'cpuMicros'))],
            peer: [goal.overMicros],
            peerName: 'the bar',
            goal: 1,
            better: 'less',
          }),
        ]),
    ...(goal.cpu === undefined
      ? []
      : [
          rowOf({
            name: `${goal.name}${onEngine}: CPU`,
            unit: 'us a message',
            ours: of(goal.ours, 'cpuMicros'),
            peer: of(leanest, 'cpuMicros'),
            peerName: leanest,
            goal: goal.cpu,
            better: 'less',
          }),
        ]),
  ]
}

function show(title: string, found: ReadonlyMap<string, readonly Figures[]>): void {
  const medians = [...found]
    .filter(([, figures]) => figures.length > 0)
    .map(([name, figures]) => ({
      name,
      cpu: median(figures.map(({ cpuMicros }) => cpuMicros)),
      rate: median(figures.map(({ perSecond }) => perSecond)),
    }))
  const best = Math.min(...medians.map(({ cpu }) => cpu))
  console.log(`${title}: CPU per message, 1.0 is the best`)
  for (const { name, cpu, rate } of medians)
    console.log(
      `  ${name.padEnd(16)}${(cpu / best).toFixed(2).padStart(6)}  ${figure(cpu).padStart(6)} us  ${figure(rate).padStart(9)} messages/s`,
    )
}

function optionOf(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : process.argv[at + 1]
}
