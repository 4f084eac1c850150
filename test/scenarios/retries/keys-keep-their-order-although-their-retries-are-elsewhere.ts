/**
 * With `order: 'key'` the source and the retry topics of a partition may be consumed by different workers, which come and go and
 * are killed: no message is handled before an earlier one of its key is finished, and none is lost.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

interface Step {
  readonly key: string
  readonly sequence: number
  readonly fails: number
}

const steps = defineTopic<Step>('steps')
const keys = Array.from({ length: 12 }, (_, index) => `k${index}`)
const perKey = 12
const partitions = 4

/** Of all keys in turn; every seventh fails once or twice, every fortieth is given up. */
const messages = Array.from({ length: keys.length * perKey }, (_, index): Step => {
  const key = keys[index % keys.length] ?? ''
  const fails = index % 40 === 39 ? 9 : index % 7 === 3 ? 1 + (index % 2) : 0
  return { key, sequence: Math.floor(index / keys.length), fails }
})
const givenUp = messages.filter(({ fails }) => fails === 9).length

await scenario(
  {
    topics: Object.fromEntries(
      [
        'steps',
        'steps-retry-all-100ms',
        'steps-retry-all-200ms',
        'steps-retry-all-parked',
        'steps-dlt',
      ].map((name) => [
        name,
        {
          partitions,
          ...(name.endsWith('parked') ? { configs: { 'cleanup.policy': 'compact' } } : {}),
        },
      ]),
    ),
  },
  async (scene) => {
    const finished = new Map<string, Set<number>>(keys.map((key) => [key, new Set<number>()]))
    const tries = new Map<string, number>()
    const broken: string[] = []
    const consumer = defineConsumer({
      topic: steps,
      group: 'all',
      concurrency: 4,
      retryTopics: { delays: ['100ms', '200ms'], order: 'key' },
      deadLetter: { storm: false },
      commit: { interval: '200ms' },
      each({ value: { key, sequence, fails } }) {
        const done = finished.get(key) ?? new Set()
        for (let earlier = 0; earlier < sequence; earlier++) {
          const isGivenUp = messages[earlier * keys.length + keys.indexOf(key)]?.fails === 9
          if (!done.has(earlier) && !isGivenUp) broken.push(`${key}: ${sequence} before ${earlier}`)
        }
        const name = `${key}/${sequence}`
        const count = (tries.get(name) ?? 0) + 1
        tries.set(name, count)
        if (count <= fails) throw new Error(`attempt ${count}`)
        done.add(sequence)
      },
    })
    // Each worker has a plan, readers and a view of its own, as another process would.
    const { start } = scenarioApp(scene, { consumers: [consumer] }, { heartbeat: '200ms' })
    const open = (): readonly string[] =>
      messages.flatMap(({ key, sequence, fails }) =>
        fails === 9 || finished.get(key)?.has(sequence) === true ? [] : [`${key}/${sequence}`],
      )
    scene.watch('broken', () => broken)
    scene.watch('open', open)
    const send = (from: number, to: number): Promise<unknown> =>
      scene.send(
        'steps',
        messages.slice(from, to).map((step) => ({ key: step.key, value: JSON.stringify(step) })),
      )

    const first = await start()
    await send(0, 48)
    await using second = await start()
    await scene.until('some are done', () => open().length < messages.length - givenUp - 20)
    await send(48, 96)
    await first.kill()
    await using third = await start()
    await send(96, messages.length)
    scene.watch('partitions', () => [second.partitions, third.partitions])
    await scene.until('all are done', () => open().length === 0, { deadline: 30_000 })
    await scene.until('the others were given up', async () => {
      const letters = new Set<string>()
      for (let partition = 0; partition < partitions; partition++)
        for (const { value } of (await scene.log('steps-dlt', partition)).records)
          letters.add(String(value))
      return letters.size === givenUp
    })
    assert.deepEqual(broken, [])
  },
)
