/**
 * Lanes run messages of a partition at once, yet no message starts before the previous one of its key is finished: while
 * members come and one is killed, with failures between. Nothing is left out.
 */
import assert from 'node:assert/strict'
import { scenarioApp } from '../../harness/app.ts'
import { startProgram, type Program } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

interface Fact {
  readonly kind: 'began' | 'finished'
  readonly key: string
  readonly n: number
  readonly timeUs: number
}

const keys = Array.from({ length: 24 }, (_, index) => `key-${index}`)
const rounds = 30

await scenario({ topics: { events: { partitions: 4 } }, deadline: 90_000 }, async (scene) => {
  const { committed } = scenarioApp(scene, {})
  const argument = {
    brokers: scene.brokers,
    topic: scene.topic('events'),
    group: scene.group('lanes'),
    concurrency: 5,
    handlerMs: 30,
  }
  const programs: Program[] = []
  const start = (): Program => {
    const program = startProgram('lanes', argument)
    programs.push(program)
    return program
  }
  const factsOf = ({ facts }: Program): Fact[] =>
    facts.flatMap((fact) => {
      const kind = 'began' in fact ? 'began' : 'finished'
      const one = fact[kind] as { readonly key: string; readonly n: number } | undefined
      return one === undefined ? [] : [{ kind, ...one, timeUs: fact['timeUs'] as number }]
    })
  const finished = (): number =>
    new Set(
      programs
        .flatMap(factsOf)
        .flatMap(({ kind, key, n }) => (kind === 'finished' ? [`${key} ${n}`] : [])),
    ).size
  scene.watch('finished', finished)
  scene.watch('texts', () => programs.map(({ texts }) => texts))

  await using first = start()
  const messages = Array.from({ length: rounds }, (_, n) =>
    keys.map((key) => ({ key, value: JSON.stringify({ n }) })),
  ).flat()
  const third = messages.length / 3
  await scene.send('events', messages.slice(0, third))
  await scene.until('the first one is at work', () => finished() > 30)
  await using second = start()
  await scene.until('the second one has joined', () =>
    second.facts.some(({ state }) => state === 'running'),
  )
  await scene.send('events', messages.slice(third, 2 * third))
  await scene.until('both are at work', () => factsOf(second).length > 20)
  first.signal('SIGKILL')
  await first.ended
  await using last = start()
  await scene.send('events', messages.slice(2 * third))
  await scene.until('everything is finished', () => finished() === messages.length, {
    deadline: 60_000,
  })
  await scene.until('and committed', async () => {
    const offsets = await Promise.all([0, 1, 2, 3].map((at) => committed('lanes', 'events', at)))
    return offsets.reduce<number>((sum, offset) => sum + (offset ?? 0), 0) === messages.length
  })
  assert.ok(factsOf(last).length > 0)

  let atOnce = 0
  for (const program of programs) {
    let running = 0
    for (const { kind } of factsOf(program)) {
      running += kind === 'began' ? 1 : -1
      atOnce = Math.max(atOnce, running)
    }
  }
  assert.ok(atOnce > 2, 'several ran at once')

  const done = new Map<string, Set<number>>(keys.map((key) => [key, new Set()]))
  const all = programs.flatMap(factsOf).toSorted((left, right) => left.timeUs - right.timeUs)
  for (const { kind, key, n } of all) {
    const own = done.get(key) as Set<number>
    if (kind === 'finished') own.add(n)
    else
      for (let before = 0; before < n; before++)
        assert.ok(own.has(before), `${key}: ${n} began before ${before} was finished`)
  }
})
