/**
 * A reply over a topic finds the instance that has asked, however many there are. Where instances share a group, as
 * request and reply over groups do, a reply goes to whoever owns its partition, and half of the askers wait in vain.
 */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  type Worker,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startNaive } from '../../harness/naive-consumer.ts'
import { scenario, type Scenario } from '../../harness/scenario.ts'

const topics = {
  questions: { partitions: 2 },
  replies: { partitions: 2 },
  naive: { partitions: 2 },
}
const askers = ['a', 'b'] as const
const perAsker = 4

interface Question {
  readonly from: string
  readonly n: number
}
const questions = defineTopic<Question>('questions')
const replies = defineTopic<Question>('replies')

await scenario({ topics }, async (scene) => {
  await naively(scene)
  await directly(scene)
})

/** Two instances of one service read the replies as one group. */
async function naively(scene: Scenario): Promise<void> {
  const got: { readonly at: string; readonly reply: string }[] = []
  await using stack = new AsyncDisposableStack()
  for (const at of askers)
    stack.use(
      await startNaive(scene, {
        group: 'replies',
        topics: ['naive'],
        run: () => ({
          eachMessage: async ({ message }) => {
            got.push({ at, reply: String(message.value) })
            await Promise.resolve()
          },
        }),
      }),
    )
  await scene.until('each instance has a partition', async () => {
    const [group] = await scene.client.admin.describeGroups([scene.group('replies')])
    return group?.state === 'Stable' && group.members.length === 2
  })
  // What answers knows no instance: the replies are spread over the partitions.
  await scene.send(
    'naive',
    askers.flatMap((asker) =>
      Array.from({ length: perAsker }, (_, n) => ({ partition: n % 2, value: asker })),
    ),
  )
  await scene.until('all replies were read', () => got.length >= askers.length * perAsker)
  const astray = got.filter(({ at, reply }) => at !== reply)
  assert.ok(astray.length > 0, 'every reply came to the one that asked: the naive way was lucky')
}

/** Every instance reads all replies, without a group and from the end, and takes its own. */
async function directly(scene: Scenario): Promise<void> {
  const got = new Map<string, number[]>(askers.map((asker) => [asker, []]))
  const service = scenarioApp(scene, {
    consumers: [
      defineConsumer({
        topic: questions,
        group: 'answers',
        each: (question, { send }) => send(replies, { value: question.value }),
      }),
    ],
  })
  await using answering = await service.start()
  await using stack = new AsyncDisposableStack()
  const instances: Worker[] = []
  for (const asker of askers) {
    const app = scenarioApp(scene, {
      topics: [questions],
      consumers: [
        defineConsumer({
          topic: replies,
          group: 'waiting',
          assign: 'all',
          positions: 'none',
          start: 'latest',
          filter: ({ value }) => value.from === asker,
          each: ({ value }) => void got.get(asker)?.push(value.n),
        }),
      ],
    })
    instances.push(stack.use(await app.start()))
  }
  scene.watch('replies', () => Object.fromEntries(got))
  // The end that an instance begins at must be known before the first reply.
  await scene.until('they listen', () =>
    instances.every(({ partitions }) => partitions.every(({ position }) => position >= 0)),
  )
  for (const [index, asker] of askers.entries())
    for (let n = 0; n < perAsker; n++)
      await instances[index]?.producer.send(questions, { value: { from: asker, n } })
  await scene.until('everybody has the own replies', () =>
    askers.every((asker) => got.get(asker)?.length === perAsker),
  )
  for (const asker of askers)
    assert.deepEqual(got.get(asker)?.toSorted(), [0, 1, 2, 3], `all of ${asker}, and nothing else`)
  assert.equal(await answering.stop(), 0)
}
